package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// ErrNotRunning: no server answers in the folder.
var ErrNotRunning = errors.New("no platform runs in this folder")

// Remote is a server that runs, as seen through its socket.
type Remote struct {
	http   *http.Client
	Status Status
}

// Dial reaches the server that runs in the folder and asks how it is;
// ErrNotRunning where none answers.
func Dial(ctx context.Context, folder string) (*Remote, error) {
	r := &Remote{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, folder) },
	}}}
	answer, err := r.send(ctx, http.MethodGet, "/status", nil)
	if opErr, ok := errors.AsType[*net.OpError](err); ok && opErr.Op == "dial" {
		return nil, ErrNotRunning // absent, or left behind by a server that was killed
	}
	if err != nil {
		return nil, fmt.Errorf("the platform in %s does not answer: %w", folder, err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	if err := json.NewDecoder(answer.Body).Decode(&r.Status); err != nil {
		return nil, fmt.Errorf("the platform in %s does not answer as expected: %w", folder, err)
	}
	return r, nil
}

// Close lets the connection go.
func (r *Remote) Close() { r.http.CloseIdleConnections() }

// Run runs a command in the server and gives its exit status; what it writes
// arrives as it is written. An error means that the answer was cut off and that
// the command may or may not have been carried out.
func (r *Remote) Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (exit int, err error) {
	input, err := io.ReadAll(stdin)
	if err != nil {
		return 1, fmt.Errorf("reading the input: %w", err)
	}
	body, err := json.Marshal(runRequest{Args: args, Stdin: string(input)})
	if err != nil {
		return 1, fmt.Errorf("encoding the command: %w", err)
	}
	answer, err := r.send(ctx, http.MethodPost, "/run", body)
	if err != nil {
		return 1, fmt.Errorf("sending the command to the running platform: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	if answer.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return 1, fmt.Errorf("the running platform refused the command: %s", bytes.TrimSpace(why))
	}
	return copyFrames(answer.Body, stdout, stderr)
}

func copyFrames(answer io.Reader, stdout, stderr io.Writer) (exit int, err error) {
	decoder := json.NewDecoder(answer)
	for {
		var one frame
		if err := decoder.Decode(&one); err != nil {
			return 1, fmt.Errorf("the platform stopped before the command had ended: look whether it was carried out: %w", err)
		}
		_, outErr := stdout.Write(one.Stdout)
		_, errErr := stderr.Write(one.Stderr)
		if err := errors.Join(outErr, errErr); err != nil {
			return 1, err
		}
		if one.Exit != nil {
			return *one.Exit, nil
		}
	}
}

// Stop asks the server to stop and returns when it has.
func (r *Remote) Stop(ctx context.Context) error {
	answer, err := r.send(ctx, http.MethodPost, "/stop", nil)
	if err != nil {
		return fmt.Errorf("asking the platform to stop: %w", err)
	}
	defer answer.Body.Close()                 //nolint:errcheck // read to its end below
	_, err = io.Copy(io.Discard, answer.Body) // the answer ends when all has stopped
	if err != nil {
		return fmt.Errorf("waiting for the platform to stop: %w", err)
	}
	return nil
}

// send sends a request; the host is the socket's, whatever the address says.
func (r *Remote) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://admin"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	return r.http.Do(request)
}
