package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// platform is the real binary, running on SQLite in a folder of its own.
type platform struct {
	folder string
	binary string
	server *exec.Cmd
	env    map[string]string // dev.env

	authorize, token, biomarkers *url.URL
	reader                       *person // the member who has lab results
}

// startPlatform builds the binary and starts it on free ports.
func startPlatform(ctx context.Context) (*platform, error) {
	folder, err := os.MkdirTemp("", "loop-bench-")
	if err != nil {
		return nil, err
	}
	p := &platform{folder: folder, binary: filepath.Join(folder, "loop")}
	if err := p.start(ctx); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *platform) start(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", p.binary, "./cmd/loop").CombinedOutput(); err != nil {
		return fmt.Errorf("building the platform (run this from the project's folder): %w\n%s", err, out)
	}
	log, err := os.Create(filepath.Join(p.folder, "log"))
	if err != nil {
		return err
	}
	p.server = p.command(context.Background(), "dev", "--port", "0", "--no-quickstart", "--limits", "off")
	p.server.Stderr = log
	stdout, err := p.server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.server.Start(); err != nil {
		return err
	}
	if err := awaitReady(stdout); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("the platform did not start: %w\n%s", err, said)
	}
	return p.readEnv()
}

// awaitReady waits for the line that says that all is up; whatever else is
// printed later is read and dropped.
func awaitReady(stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return nil
		}
	}
	return errors.Join(errors.New("it ended before it was ready"), lines.Err())
}

func (p *platform) readEnv() error {
	text, err := os.ReadFile(filepath.Join(p.folder, ".loop", "dev.env"))
	if err != nil {
		return err
	}
	p.env = make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); ok {
			p.env[name] = strings.Trim(value, "'")
		}
	}
	for _, endpoint := range []struct {
		to            **url.URL
		host, address string
	}{
		{&p.authorize, "LOOP_IDENTITY_URL", "/v1/oauth/authorize"},
		{&p.token, "LOOP_IDENTITY_URL", "/v1/oauth/token"},
		{&p.biomarkers, "LOOP_CLINICAL_URL", "/v1/biomarkers/me"},
	} {
		if *endpoint.to, err = url.Parse(p.env[endpoint.host] + endpoint.address); err != nil {
			return err
		}
	}
	return nil
}

func (p *platform) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.binary, args...)
	cmd.Dir = p.folder
	return cmd
}

// account makes a test member on the running platform.
func (p *platform) account(ctx context.Context, number int) (email, password string, err error) {
	email = fmt.Sprintf("bench-%d@example.com", number)
	cmd := p.command(ctx, "user", "create", "--test", "--name", fmt.Sprintf("Bench %d", number), "--email", email, "--json")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("making a member: %w: %s", err, stderr.String())
	}
	var made struct {
		Password string `json:"password"`
	}
	err = json.Unmarshal(out, &made)
	return email, made.Password, err
}

// close ends the platform and removes its folder.
func (p *platform) close() {
	if p.server != nil && p.server.Process != nil {
		_ = p.server.Process.Signal(syscall.SIGTERM)
		_ = p.server.Wait()
	}
	_ = os.RemoveAll(p.folder)
}
