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

	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
	"github.com/loop-health/loop/internal/testprocess"
)

// platform is the real binary, running in a folder of its own.
type platform struct {
	engine   string // sqlite, postgres
	profiles string // a folder; empty: none are taken

	binary     string // empty: that of the present folder is built
	folder     string
	server     *exec.Cmd
	operations string            // where its operator asks
	env        map[string]string // dev.env

	authorize, token, push, introspection, revocation, userInfo, biomarkers *url.URL

	cluster  *postgrestest.Server // of PostgreSQL; nil on SQLite
	database string               // its address; empty on SQLite

	reader  *person // the member who has lab results
	service app     // that acts for itself
}

// app is a registered client.
type app struct{ id, secret string }

// app is the one that members allowed.
func (p *platform) app() app { return app{p.env["LOOP_CLIENT_ID"], p.env["LOOP_CLIENT_SECRET"]} }

// request is a form to an endpoint for apps, authenticated by client_secret_post.
func (a app) request(address *url.URL, form url.Values) []byte {
	form.Set("client_id", a.id)
	form.Set("client_secret", a.secret)
	return formRequest(address, form)
}

// begin builds the binary, where none is named, and starts it on its engine, on free
// ports.
func (p *platform) begin(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "loop-bench-")
	if err != nil {
		return err
	}
	p.folder = folder
	if p.binary == "" {
		err = p.build(ctx)
	}
	if err == nil {
		err = p.start(ctx)
	}
	if err != nil {
		p.close()
	}
	return err
}

func (p *platform) build(ctx context.Context) error {
	p.binary = filepath.Join(p.folder, "loop")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", p.binary, "./cmd/loop").CombinedOutput(); err != nil {
		return fmt.Errorf("building the platform (run this from the project's folder): %w\n%s", err, out)
	}
	return nil
}

// start has `loop dev` fill the folder with a member, an app and lab results, and
// serves it with `loop serve`, as an operator would: that alone knows of resources
// outside.
func (p *platform) start(ctx context.Context) error {
	if err := p.run("dev", "--port", "0", "--no-quickstart"); err != nil {
		return err
	}
	p.stop()
	if err := p.readEnv(); err != nil {
		return err
	}
	if p.engine == "postgres" {
		if err := p.moveToPostgres(ctx); err != nil {
			return err
		}
	}
	var err error
	if p.operations, err = freeAddress(ctx); err != nil {
		return err
	}
	if err := p.configure(); err != nil {
		return err
	}
	if err := p.run("serve", "--config", configFile); err != nil {
		return err
	}
	p.service, err = p.addService(ctx)
	return err
}

// run starts the binary and returns when all is up.
func (p *platform) run(args ...string) error {
	log, err := os.Create(filepath.Join(p.folder, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own
	p.server = p.command(context.Background(), args...)
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
	return nil
}

// stop ends the binary and returns when it has ended.
func (p *platform) stop() {
	if p.server != nil && p.server.Process != nil {
		_ = p.server.Process.Signal(syscall.SIGTERM)
		_ = p.server.Wait()
	}
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
		{&p.push, "LOOP_IDENTITY_URL", "/v1/oauth/par"},
		{&p.introspection, "LOOP_IDENTITY_URL", "/v1/oauth/introspect"},
		{&p.revocation, "LOOP_IDENTITY_URL", "/v1/oauth/revoke"},
		{&p.userInfo, "LOOP_IDENTITY_URL", "/v1/oauth/userinfo"},
		{&p.biomarkers, "LOOP_CLINICAL_URL", "/v1/biomarkers/me?limit=50"},
	} {
		if *endpoint.to, err = url.Parse(p.env[endpoint.host] + endpoint.address); err != nil {
			return err
		}
	}
	return nil
}

const (
	configFile      = "loop.toml"
	outsideResource = "https://orders.example.com" // that the service gets tokens for
	outsideScope    = "read:orders"
)

// configure writes the configuration of `loop serve`: the hosts where `loop dev`
// had them, no rate limits, a generator that may name the networks it is asking for,
// a mail server that takes nothing, and a resource outside.
func (p *platform) configure() error {
	var text strings.Builder
	fmt.Fprintf(&text, "dir = %q\nmaster_key_file = %q\nlimits = \"off\"\n", filepath.Join(p.folder, ".loop"), filepath.Join(p.folder, ".loop", "master.key"))
	if p.sendsMail() {
		fmt.Fprintf(&text, "smtp_server = \"127.0.0.1:1\"\nsmtp_tls = \"none\"\nsmtp_from = \"no-reply@example.com\"\n") // nobody takes a mail: it waits
	}
	fmt.Fprintf(&text, "operations_listen = %q\ntrusted_proxies = \"127.0.0.1/32\"\n", p.operations)
	if p.database != "" {
		fmt.Fprintf(&text, "database = %q\nconnections = %d\n", p.database, connections)
	}
	for _, role := range []string{"identity", "clinical", "developers"} {
		at, err := url.Parse(p.env["LOOP_"+strings.ToUpper(role)+"_URL"])
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s_url = %q\n%s_listen = %q\n", role, at, role, "127.0.0.1:"+at.Port())
	}
	fmt.Fprintf(&text, "[[resources]]\nidentifier = %q\nscopes = [%q]\n", outsideResource, outsideScope)
	return os.WriteFile(filepath.Join(p.folder, configFile), []byte(text.String()), 0o600)
}

// sendsMail reports whether the binary can: one of an older commit, beside which this
// one is measured, refuses a key that it does not know.
func (p *platform) sendsMail() bool {
	help, _ := p.command(context.Background(), "serve", "--help").CombinedOutput() // without help there is no mail either
	return bytes.Contains(help, []byte("smtp"))
}

func (p *platform) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.binary, args...)
	testprocess.EndWithParent(cmd, syscall.SIGKILL)
	cmd.Dir = p.folder
	return cmd
}

// account makes a test member on the running platform.
func (p *platform) account(ctx context.Context, number int) (email, password string, err error) {
	email = fmt.Sprintf("bench-%d@example.com", number)
	var made struct {
		Password string `json:"password"`
	}
	err = p.administer(ctx, &made, "user", "create", "--test", "--name", fmt.Sprintf("Bench %d", number), "--email", email)
	return email, made.Password, err
}

// addService registers a service that gets tokens for itself.
func (p *platform) addService(ctx context.Context) (app, error) {
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err := p.administer(ctx, &made, "client", "create", "--type", "confidential", "--name", "Bench",
		"--grant-type", "client_credentials", "--service-scope", outsideScope)
	return app{made.ID, made.Secret}, err
}

// administer carries out a command on the running platform and reads its answer.
func (p *platform) administer(ctx context.Context, answer any, args ...string) error {
	cmd := p.command(ctx, append(args, "--json")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args[:2], " "), err, stderr.String())
	}
	return json.Unmarshal(out, answer)
}

// close ends the platform and removes its folder.
func (p *platform) close() {
	p.stop()
	if p.cluster != nil {
		_ = p.cluster.Remove()
	}
	_ = os.RemoveAll(p.folder)
}
