package test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/loop-health/loop/test/process"
)

// appAddress is where the quickstart's app listens; it says so itself.
const appAddress = "http://localhost:5000"

// flaskApp is a Flask app that runs in the platform's world.
type flaskApp struct {
	platform *platform
	python   string
	folder   string // beneath the platform's, so that `loop dev run` finds the platform by itself
}

// startSeedApp runs the quickstart's app as it was given: a byte-equal copy, by
// `loop dev run`. Where a clone has no seed beside it, the project's own Flask
// app takes its place, and the output says so.
func (p *platform) startSeedApp(t *testing.T) *flaskApp {
	t.Helper()
	app := &flaskApp{platform: p, python: needPython(t, "flask, requests"), folder: filepath.Join(p.folder, "app")}
	if err := os.Mkdir(app.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	seed := seedFolder(t)
	if seed == "" {
		t.Log("there is no ../shared/seed beside this clone: examples/python-flask takes its app's place")
		copyOf(t, filepath.Join("..", "examples", "python-flask", "app.py"), app.folder)
	} else {
		source := filepath.Join(seed, "app.py")
		if got, want := copyOf(t, source, app.folder), hashOf(t, source); got != want {
			t.Fatalf("the copy of app.py has hash %s, the seed's %s", got, want)
		}
		copyOf(t, filepath.Join(seed, "refresh.py"), app.folder)
	}
	app.start(t)
	return app
}

// start runs the app until the test ends.
func (a *flaskApp) start(t *testing.T, settings ...string) {
	t.Helper()
	cmd := a.platform.command(t, "dev", "run", "--", a.python, "app.py")
	cmd.Dir = a.folder
	cmd.Env = process.Inherit(settings...)
	running := process.Start(t, cmd)
	running.AwaitLine(t, running.Stderr, "* Running on")
}

// python runs a piece of Python beside app.py, in the platform's world, and
// gives what it printed.
func (a *flaskApp) run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	cmd := a.platform.command(t, append([]string{"dev", "run", "--", a.python, "-c", program}, args...)...)
	cmd.Dir = a.folder
	called := process.Start(t, cmd)
	if status := called.Wait(t); status != 0 {
		t.Fatalf("Python ended with status %d", status)
	}
	return []byte(called.Stdout.String())
}

// seesVerifier notes the state and the code verifier of the app's session, which
// Flask keeps in a cookie that is signed but can be read.
func (b *browser) seesVerifier(t *testing.T) {
	t.Helper()
	cookies, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{appAddress}})
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range cookies.Cookies {
		session := make(map[string]string)
		if cookie.Name == "session" && json.Unmarshal(flaskSession(cookie.Value), &session) == nil {
			b.platform.secrets.saw("code verifier", session["code_verifier"])
			b.platform.secrets.saw("state", session["oauth_state"])
			return
		}
	}
	t.Fatal("the app has no session that can be read")
}

// flaskSession is the payload of a Flask session cookie.
func flaskSession(cookie string) []byte {
	text, compressed := strings.CutPrefix(cookie, ".")
	payload, _, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || !compressed {
		return raw
	}
	reader, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	raw, _ = io.ReadAll(reader)
	return raw
}
