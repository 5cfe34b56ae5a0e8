package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// hydra is Ory Hydra. Its people sign in and consent through two endpoints that an
// installation writes itself; here they are the load generator, which accepts
// through Hydra's admin API. So a code flow is three requests of a browser, two of
// the admin API and one of the app, whether or not consent is remembered.
type hydra struct {
	binary string
	engine string // sqlite, postgres
	tuned  bool
}

// hydraConnections is how many a tuned Hydra has to its database: with fewer, flows
// wait for each other without end.
const hydraConnections = 80

// buildHydra compiles the module beside this program.
func buildHydra(ctx context.Context, folder string) (string, error) {
	binary := filepath.Join(folder, "hydra")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "sqlite,json1", "-o", binary, ".")
	build.Dir, build.Env = filepath.Join("bench", "peers", "hydra"), append(os.Environ(), "GOWORK=off", "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("Hydra can't be built here: %w\n%s", err, out) //nolint:staticcheck // ST1005: its name
	}
	return binary, nil
}

func (h *hydra) name() string {
	if h.tuned {
		return "hydra tuned"
	}
	return "hydra"
}

func (h *hydra) start(ctx context.Context, folder string) (*remoteServer, error) {
	public, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	f := &remoteServer{admin: "http://" + admin, callback: "http://127.0.0.1/callback", client: app{id: "bench", secret: pagetest.Verifier()}}
	source, err := h.source(ctx, f, folder)
	if err != nil {
		return f, err
	}
	config, err := h.configure(folder, public, admin, source)
	if err != nil {
		return f, err
	}
	if out, err := exec.CommandContext(ctx, h.binary, "migrate", "sql", "up", "--yes", "--read-from-env", "--config", config).CombinedOutput(); err != nil {
		return f, fmt.Errorf("migrating: %w\n%s", err, out)
	}
	for address, at := range map[string]**url.URL{
		"http://" + public + "/oauth2/auth": &f.authorization, "http://" + public + "/oauth2/token": &f.token,
		f.admin + "/admin/oauth2/introspect": &f.introspection,
	} {
		if *at, err = url.Parse(address); err != nil {
			return f, err
		}
	}
	f.command = exec.CommandContext(ctx, h.binary, "serve", "all", "--dev", "--config", config)
	testprocess.EndWithParent(f.command, syscall.SIGKILL)
	log, err := os.Create(filepath.Join(folder, "hydra.log"))
	if err != nil {
		return f, err
	}
	defer func() { _ = log.Close() }() // the process has its own
	f.command.Stdout, f.command.Stderr = log, log
	if err := f.command.Start(); err != nil {
		return f, err
	}
	if err := awaitAnswer(ctx, f.admin+"/health/ready"); err != nil {
		return f, err
	}
	return f, h.call(ctx, http.MethodPost, f.admin+"/admin/clients", map[string]any{
		"client_id": f.client.id, "client_secret": f.client.secret, "redirect_uris": []string{f.callback},
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"scope": "openid offline_access", "token_endpoint_auth_method": "client_secret_post",
	}, nil)
}

// source is the database of a Hydra: a file, or one of a PostgreSQL server of its
// own.
func (h *hydra) source(ctx context.Context, f *remoteServer, folder string) (string, error) {
	if h.engine != "postgres" {
		return "sqlite://" + filepath.Join(folder, "hydra.db") + "?_fk=true", nil
	}
	server, err := startDatabase()
	if err != nil {
		return "", err
	}
	f.cluster = server
	return server.CreateDatabase(ctx, "hydra")
}

// configure writes Hydra's configuration. Tuned means: secrets of clients, random
// as they are, under the cheapest hash that Hydra has; no log line for each
// request; as many connections as 64 flows ask for; and SQLite's log written ahead,
// as ours.
func (h *hydra) configure(folder, public, admin, source string) (string, error) {
	publicAt, err := url.Parse("http://" + public)
	if err != nil {
		return "", err
	}
	adminAt, err := url.Parse("http://" + admin)
	if err != nil {
		return "", err
	}
	config := map[string]any{
		"serve": map[string]any{
			"public": map[string]any{"host": publicAt.Hostname(), "port": json.Number(publicAt.Port())},
			"admin":  map[string]any{"host": adminAt.Hostname(), "port": json.Number(adminAt.Port())},
		},
		"urls": map[string]any{
			"self":  map[string]any{"issuer": publicAt.String()},
			"login": "http://127.0.0.1/login", "consent": "http://127.0.0.1/consent",
		},
		"secrets": map[string]any{"system": []string{pagetest.Verifier()}},
		"sqa":     map[string]any{"opt_out": true},
	}
	if h.tuned {
		config["oauth2"] = map[string]any{"hashers": map[string]any{"algorithm": "bcrypt", "bcrypt": map[string]any{"cost": 4}}}
		config["log"] = map[string]any{"level": "error"}
		at, err := url.Parse(source)
		if err != nil {
			return "", err
		}
		query := at.Query()
		query.Set("max_conns", fmt.Sprint(hydraConnections))
		query.Set("max_idle_conns", fmt.Sprint(hydraConnections))
		if h.engine != "postgres" {
			query.Set("_journal_mode", "WAL")
			query.Set("_busy_timeout", "10000")
		}
		at.RawQuery = query.Encode()
		source = at.String()
	}
	config["dsn"] = source
	text, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "hydra.json")
	return path, os.WriteFile(path, text, 0o600)
}

func (h *hydra) arrive(ctx context.Context, v *visitor, request url.Values) (*url.URL, error) {
	address := *v.server.authorization
	address.RawQuery = request.Encode()
	seen, err := v.browser.send(ctx, http.MethodGet, &address, nil)
	for range 5 {
		next := seen.next
		switch {
		case err != nil:
			return nil, err
		case next == nil:
			return nil, errors.New("hydra shows a page where it should lead on")
		case next.Query().Has("login_challenge"):
			seen, err = h.accept(ctx, v, "login", next.Query().Get("login_challenge"), map[string]any{"subject": v.subject, "remember": true})
		case next.Query().Has("consent_challenge"):
			seen, err = h.accept(ctx, v, "consent", next.Query().Get("consent_challenge"), map[string]any{
				"grant_scope": []string{"openid", "offline_access"}, "remember": true,
			})
		case next.Query().Has("code"):
			return next, nil
		default:
			return nil, fmt.Errorf("hydra leads to %s", next)
		}
	}
	return nil, errors.New("hydra leads in a circle")
}

// accept answers a challenge as an installation's own pages would, and follows.
func (h *hydra) accept(ctx context.Context, v *visitor, kind, challenge string, answer map[string]any) (screen, error) {
	var accepted struct {
		RedirectTo string `json:"redirect_to"`
	}
	address := v.server.admin + "/admin/oauth2/auth/requests/" + kind + "/accept?" + url.Values{kind + "_challenge": {challenge}}.Encode()
	if err := h.call(ctx, http.MethodPut, address, answer, &accepted); err != nil {
		return screen{}, err
	}
	next, err := url.Parse(accepted.RedirectTo)
	if err != nil {
		return screen{}, err
	}
	return v.browser.send(ctx, http.MethodGet, next, nil)
}

// admins keeps the connections to the admin API.
var admins = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// call calls the admin API.
func (h *hydra) call(ctx context.Context, method, address string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answered, err := admins.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answered.Body.Close() }()
	var said json.RawMessage
	if err := json.NewDecoder(answered.Body).Decode(&said); err != nil || answered.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("hydra's %s answered %d: %s: %w", address, answered.StatusCode, said, err)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(said, answer)
}
