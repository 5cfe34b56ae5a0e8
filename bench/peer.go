package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"syscall"
	"time"

	"github.com/loop-health/loop/internal/pagetest"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

// peer is another authorization server, driven with the same load on the same
// machine in the same run. It is built and started as its makers say.
type peer interface {
	// name is how the table calls it, with what was set for it.
	name() string
	// start runs it in a folder, with one confidential client.
	start(ctx context.Context, folder string) (*remoteServer, error)
	// arrive takes a person from an authorization request to the app's redirect URI:
	// with pages where it asks, without where it remembers.
	arrive(ctx context.Context, v *visitor, request url.Values) (callback *url.URL, err error)
}

// remoteServer is a running peer, as an app sees it.
type remoteServer struct {
	command       *exec.Cmd
	cluster       *postgrestest.Server // of its own; nil: it needs none
	authorization *url.URL
	token         *url.URL
	introspection *url.URL
	admin         string // of Hydra
	client        app
	callback      string
}

// stop ends what was started of it.
func (f *remoteServer) stop() {
	if f == nil {
		return
	}
	if f.command != nil && f.command.Process != nil {
		_ = f.command.Process.Signal(syscall.SIGTERM)
		_ = f.command.Wait()
	}
	if f.cluster != nil {
		_ = f.cluster.Remove()
	}
}

// visitor is a person who has signed in at a peer and allowed the app.
type visitor struct {
	peer    peer
	server  *remoteServer
	subject string
	browser *browser
	tokens  *wire
	refresh string
	access  string
}

func newVisitor(ctx context.Context, p peer, f *remoteServer, number int) (*visitor, error) {
	own, err := newBrowser()
	if err != nil {
		return nil, err
	}
	v := &visitor{peer: p, server: f, subject: fmt.Sprintf("member-%d", number), browser: own}
	if v.tokens, err = dial(ctx, f.token.Host); err != nil {
		return nil, err
	}
	return v, v.flow(ctx)
}

// flow is a full code flow.
func (v *visitor) flow(ctx context.Context) error {
	verifier := pagetest.Verifier()
	callback, err := v.peer.arrive(ctx, v, url.Values{
		"response_type": {"code"}, "client_id": {v.server.client.id}, "redirect_uri": {v.server.callback},
		"scope": {"openid offline_access"}, "state": {pagetest.Verifier()},
		"code_challenge": {pagetest.Challenge(verifier)}, "code_challenge_method": {"S256"},
	})
	if err != nil {
		return err
	}
	return v.take(url.Values{
		"grant_type": {"authorization_code"}, "code": {callback.Query().Get("code")},
		"redirect_uri": {v.server.callback}, "code_verifier": {verifier},
	})
}

func (v *visitor) refreshTokens() error {
	return v.take(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {v.refresh}})
}

func (v *visitor) take(form url.Values) error {
	status, err := v.tokens.exchange(v.server.client.request(v.server.token, form))
	if err != nil {
		return err
	}
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(v.tokens.body, &answer); err != nil || status != http.StatusOK || answer.Refresh == "" {
		return fmt.Errorf("the token endpoint of %s answered %d: %s", v.peer.name(), status, v.tokens.body)
	}
	v.access, v.refresh = answer.Access, answer.Refresh
	return nil
}

// compared are the scenarios that peers are driven through.
var compared = []string{"introspect", "refresh", "code_flow"}

// operation is what the visitor does again and again in a scenario, with new tokens
// and a new connection.
func (v *visitor) operation(ctx context.Context, scenario string) (operation, error) {
	if err := errors.Join(v.tokens.reach(ctx, v.server.token.Host), v.flow(ctx)); err != nil {
		return nil, err
	}
	switch scenario {
	case "refresh":
		return v.refreshTokens, nil
	case "introspect":
		request := v.server.client.request(v.server.introspection, url.Values{"token": {v.access}})
		return repeat(v.tokens, http.StatusOK, request), v.tokens.reach(ctx, v.server.introspection.Host)
	default:
		return func() error { return v.flow(ctx) }, nil
	}
}

// awaitAnswer asks again until the peer answers.
func awaitAnswer(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = answer.Body.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", address, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
