package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/loop-health/loop/internal/page"
)

// oidcProvider is node-oidc-provider with its own pages and its own memory: what
// it has issued is gone when it ends, so it waits for no disk.
type oidcProvider struct{ folder string }

// fetchOIDCProvider installs what its lock file names.
func fetchOIDCProvider(ctx context.Context, folder string) (*oidcProvider, error) {
	source := filepath.Join("bench", "peers", "oidc-provider")
	p := &oidcProvider{folder: filepath.Join(folder, "oidc-provider")}
	if err := os.CopyFS(p.folder, os.DirFS(source)); err != nil {
		return nil, err
	}
	install := exec.CommandContext(ctx, "npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = p.folder
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("node-oidc-provider can't be fetched here: %w\n%s", err, out)
	}
	return p, nil
}

func (p *oidcProvider) name() string { return "oidc-provider" }

func (p *oidcProvider) start(ctx context.Context, _ string) (*foreign, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse("http://" + address + "/")
	if err != nil {
		return nil, err
	}
	f := &foreign{
		client: app{id: "bench", secret: page.Verifier()}, callback: "http://127.0.0.1/callback",
		authorization: at.JoinPath("auth"), token: at.JoinPath("token"), introspection: at.JoinPath("token", "introspection"),
	}
	f.command = exec.CommandContext(ctx, "node", "server.js", at.Port(), f.client.id, f.client.secret, f.callback)
	f.command.Dir = p.folder
	if err := f.command.Start(); err != nil {
		return nil, err
	}
	return f, awaitAnswer(ctx, at.JoinPath(".well-known", "openid-configuration").String())
}

func (p *oidcProvider) arrive(ctx context.Context, v *visitor, request url.Values) (*url.URL, error) {
	address := *v.foreign.authorization
	address.RawQuery = request.Encode()
	next, body, err := v.send(ctx, http.MethodGet, address.String(), nil)
	at := &address
	for range 10 {
		switch {
		case err != nil:
			return nil, err
		case next != nil && next.Query().Has("code"):
			return next, nil
		case next != nil:
			at = next
			next, body, err = v.send(ctx, http.MethodGet, at.String(), nil)
		default:
			next, err = p.submit(ctx, v, at, body)
		}
	}
	return nil, errors.New("sign-in and consent of node-oidc-provider lead in a circle")
}

// submit sends the page that stands there: sign-in or consent.
func (p *oidcProvider) submit(ctx context.Context, v *visitor, at *url.URL, body []byte) (*url.URL, error) {
	form := url.Values{"prompt": {"consent"}}
	if bytes.Contains(body, []byte(`value="login"`)) {
		form = url.Values{"prompt": {"login"}, "login": {v.subject}, "password": {"any"}}
	}
	next, _, err := v.send(ctx, http.MethodPost, at.String(), form)
	return next, err
}
