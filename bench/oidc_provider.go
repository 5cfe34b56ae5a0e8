package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/loop-health/loop/internal/pagetest"
	"github.com/loop-health/loop/internal/testprocess"
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

func (p *oidcProvider) start(ctx context.Context, _ string) (*remoteServer, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse("http://" + address + "/")
	if err != nil {
		return nil, err
	}
	f := &remoteServer{
		client: app{id: "bench", secret: pagetest.Verifier()}, callback: "http://127.0.0.1/callback",
		authorization: at.JoinPath("auth"), token: at.JoinPath("token"), introspection: at.JoinPath("token", "introspection"),
	}
	f.command = exec.CommandContext(ctx, "node", "server.js", at.Port(), f.client.id, f.client.secret, f.callback)
	testprocess.EndWithParent(f.command, syscall.SIGKILL)
	f.command.Dir = p.folder
	if err := f.command.Start(); err != nil {
		return nil, err
	}
	return f, awaitAnswer(ctx, at.JoinPath(".well-known", "openid-configuration").String())
}

func (p *oidcProvider) arrive(ctx context.Context, v *visitor, request url.Values) (*url.URL, error) {
	return v.browser.walk(ctx, v.server.authorization, request, func(ctx context.Context, seen screen) (screen, error) {
		form := url.Values{"prompt": {"consent"}}
		if bytes.Contains(seen.body, []byte(`value="login"`)) {
			form = url.Values{"prompt": {"login"}, "login": {v.subject}, "password": {"any"}}
		}
		return v.browser.send(ctx, http.MethodPost, seen.at, form)
	})
}
