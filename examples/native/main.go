// Command native is an app on a member's own machine: a public client, which can keep
// no secret. It signs the member in with their own browser, which comes back to a port
// on loopback (RFC 8252), shows their newest lab results, and keeps its tokens in a
// folder of the member's.
//
//	loop client create --type public --name "Results on my desk" --redirect-uri http://127.0.0.1/callback
//	LOOP_IDENTITY_URL=… LOOP_CLINICAL_URL=… LOOP_CLIENT_ID=client_… go run ./examples/native
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loop-health/loop/connect"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "native:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	a, err := open(ctx)
	if err != nil {
		return err
	}
	defer a.listener.Close() //nolint:errcheck // at the end
	member, err := os.ReadFile(a.memberFile)
	if err == nil {
		err = a.show(ctx, string(member))
	}
	if err == nil || !errors.Is(err, os.ErrNotExist) && !errors.Is(err, connect.ErrReconnect) && !errors.Is(err, connect.ErrNoTokens) {
		return err
	}
	login, err := a.signIn(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.memberFile, []byte(login.Member), 0o600); err != nil {
		return err
	}
	return a.show(ctx, login.Member)
}

type app struct {
	loop       *connect.Client
	listener   net.Listener // where the browser comes back
	memberFile string
}

// docs:begin open

// open makes the client. The port is any that is free: a redirect URI on 127.0.0.1 is
// registered without one.
func open(ctx context.Context) (*app, error) {
	home, err := os.UserConfigDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(home, "loop-native")
	keys, err := ownKey(folder)
	if err != nil {
		return nil, err
	}
	store, err := connect.NewFileStore(filepath.Join(folder, "tokens"), keys)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	loop, err := connect.New(connect.Config{
		Issuer: os.Getenv("LOOP_IDENTITY_URL"), API: os.Getenv("LOOP_CLINICAL_URL"), ClientID: os.Getenv("LOOP_CLIENT_ID"),
		RedirectURL: "http://" + listener.Addr().String() + "/callback", Store: store,
	})
	return &app{loop, listener, filepath.Join(folder, "member")}, err
}

// docs:end open

// ownKey keeps the key of the tokens beside them, for the member's eyes alone. A real
// app asks the system's key chain.
func ownKey(folder string) (*connect.KeyRing, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "key")
	key, err := os.ReadFile(path) //nolint:gosec // G304: the app's own
	if errors.Is(err, os.ErrNotExist) {
		key = connect.NewKeyBytes()
		err = os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return nil, err
	}
	return connect.NewKeyRing(key), nil
}

// docs:begin sign-in

// signIn sends the member's own browser to Loop, and waits for it to come back.
func (a *app) signIn(ctx context.Context) (*connect.Login, error) {
	address, flow, err := a.loop.Begin(ctx, "/")
	if err != nil {
		return nil, err
	}
	answers := make(chan url.Values, 1)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/callback" || r.URL.Query().Get("state") != string(flow.State) {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprintln(w, "You can close this window and go back to the app.")
		select {
		case answers <- r.URL.Query():
		default: // it came twice
		}
	})}
	go server.Serve(a.listener) //nolint:errcheck // it ends with Shutdown
	fmt.Println("open", address)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	select {
	case answer := <-answers:
		defer server.Shutdown(context.WithoutCancel(ctx)) //nolint:errcheck // the browser has its answer
		return a.loop.Finish(ctx, flow, answer)
	case <-ctx.Done():
		return nil, errors.New("nobody came back from the browser")
	}
}

// docs:end sign-in

// show prints the newest result of each biomarker.
func (a *app) show(ctx context.Context, member string) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for result, err := range a.loop.For(strings.TrimSpace(member)).Biomarkers.All(ctx, connect.BiomarkerQuery{Latest: true}) {
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(table, "%s\t%s %s\t%s\n", result.Name, result.Value, result.Unit, result.CollectedAt.Format(time.DateOnly)) // Flush returns the error
	}
	return table.Flush()
}
