package clients

import (
	"cmp"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration/library"
	"github.com/loop-health/loop/test/process"
)

// app is a small app of a library's that runs.
type app struct {
	*process.Process
	address string
	client  string // its id at the platform
	version string // of the library, as the app found it
	person  person
}

// person is the member at the app, with a browser or what stands for one.
type person interface {
	// signIn has the member sign in to the app and allow what it asks for, but for the
	// scope that is left out; what the app shows where it has not come to that.
	signIn(t *testing.T) (fault string)
	// ask asks the app for something; what it shows of an error. has is false for what
	// its library does not have.
	ask(t *testing.T, method, path string) (got answer, has bool, fault string)
}

// answer is what an app answers as JSON where all went well.
type answer struct {
	Subject string   `json:"sub"`
	Email   string   `json:"email"`
	Access  string   `json:"access_token"`
	Refresh string   `json:"refresh_token"`
	Errors  []string `json:"errors"`
}

// start registers a client and starts the app with it.
func (p *platform) start(t *testing.T, c client, way string) *app {
	t.Helper()
	a := &app{address: "http://localhost:" + freePort(t)}
	redirectURI := a.address + cmp.Or(c.path, "/callback")
	secret := a.register(t, p, c, way, redirectURI)
	values := library.Values{ClientID: loop.ClientID(a.client), Issuer: p.issuer(), RedirectURI: redirectURI, Scope: scope}
	folder := t.TempDir()
	source := c.write(t, folder, lines(t, c, way, values))
	cmd := runtimes[c.runtime](t, folder, source)
	cmd.Dir = folder
	cmd.Env = process.Inherit(
		"LOOP_CLIENT_ID="+a.client, "LOOP_CLIENT_SECRET="+secret, "REDIRECT_URI="+redirectURI, "SCOPE="+scope,
		"ISSUER="+p.issuer(), "LOOP_CLINICAL_URL="+p.env["LOOP_CLINICAL_URL"],
		"BASE_URL="+a.address, "PORT="+strings.TrimPrefix(a.address, "http://localhost:"), "MODULE="+cmp.Or(c.module, c.id), "BUILD="+c.build,
		"OAUTHLIB_INSECURE_TRANSPORT=1", // the platform is on plain http here
	)
	a.Process = process.Start(t, cmd)
	_, a.version, _ = strings.Cut(a.AwaitLine(t, a.Stdout, "ready "), " ")
	a.person = p.visitor(t, a.address)
	if c.runtime == "browser" {
		a.person = p.tab(t, a.address)
	}
	return a
}

// register makes the app's client: by its README with what the platform sets by
// itself, else as the table says that the library needs it. It gives the secret.
func (a *app) register(t *testing.T, p *platform, c client, way, redirectURI string) string {
	t.Helper()
	flags := []string{"client", "create", "--name", "Morning Labs", "--redirect-uri", redirectURI, "--scope", scope}
	needs := find(t, c.id)
	if needs.Type == loop.Public {
		flags = append(flags, "--type", "public")
	}
	if way == byLines && c.runtime == "browser" {
		flags = append(flags, "--allowed-origin", a.address)
	}
	if way == byLines {
		flags = append(flags, "--token-endpoint-auth-method", string(needs.AuthMethod), "--id-token-alg", string(needs.Algorithm),
			"--refresh-grace", fmt.Sprintf("%ds", needs.Grace))
	}
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	p.loop(t, &made, flags...)
	a.client = made.ID
	return made.Secret
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}
