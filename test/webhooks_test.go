package test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

// What Loop signs is verified by Standard Webhooks' own packages for Python and Node, in
// the examples, and by Svix's; and its hex signature by Python's hmac.
func TestWebhooks_AreVerifiedByPackagesOfOthers(t *testing.T) {
	python := needPython(t, "flask, standardwebhooks")
	node := needFolder(t, "LOOP_TEST_EXPRESS_MODULES", "node", "Node.js with express and standardwebhooks")
	svix := needFolder(t, "LOOP_TEST_SVIX_MODULES", "node", "Node.js with svix")
	p := startPlatform(t, "--no-quickstart")
	for name, c := range map[string]struct {
		program string
		args    func(t *testing.T, folder string) []string
		ready   string
	}{
		"Python, standardwebhooks": {python, func(t *testing.T, folder string) []string {
			t.Helper()
			copyOf(t, filepath.Join("..", "examples", "python-flask", "webhooks.py"), folder)
			return []string{"webhooks.py"}
		}, "* Running on"},
		"Node, standardwebhooks": {"node", receiverIn(node, "standardwebhooks"), "open "},
		"Node, svix":             {"node", receiverIn(svix, "svix"), "open "},
		"Python, hmac": {python, func(t *testing.T, folder string) []string {
			t.Helper()
			if err := os.WriteFile(filepath.Join(folder, "receiver.py"), []byte(hexReceiver), 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"receiver.py"}
		}, "* Running on"},
	} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			hook := p.webhook(t, "create", "--client", p.env["LOOP_CLIENT_ID"], "--url", "http://localhost:"+port+"/webhooks/loop", "--events", "identity.grant.revoked.v1")
			folder := t.TempDir()
			cmd := exec.Command(c.program, c.args(t, folder)...) //nolint:noctx // Start ends it
			cmd.Dir = folder
			cmd.Env = process.Inherit("LOOP_WEBHOOK_SECRET="+hook["secret"], "PORT="+port, "PYTHONUNBUFFERED=1")
			app := process.Start(t, cmd)
			output := app.Stdout
			if strings.HasPrefix(c.ready, "*") {
				output = app.Stderr // Flask's log
			}
			app.AwaitLine(t, output, c.ready)
			p.webhook(t, "test", hook["id"])
			app.AwaitLine(t, app.Stdout, "received identity.webhook.test.v1")
		})
	}
}

// receiverIn is the example for Node with the modules of a folder: what verifies is the
// named package, which has the same interface.
func receiverIn(modules, verifier string) func(t *testing.T, folder string) []string {
	return func(t *testing.T, folder string) []string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("..", "examples", "node-express", "webhooks.mjs"))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), `from "standardwebhooks"`, `from "`+verifier+`"`, 1)
		if err := os.WriteFile(filepath.Join(folder, "webhooks.mjs"), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
			t.Fatal(err)
		}
		return []string{"webhooks.mjs"}
	}
}

// hexReceiver checks the hex signature, as somebody does who has no library.
const hexReceiver = `
import hashlib, hmac, os
from flask import Flask, request
app = Flask(__name__)
@app.post("/webhooks/loop")
def receive():
    expected = hmac.new(os.environ["LOOP_WEBHOOK_SECRET"].encode(), request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers["X-Loop-Signature"]):
        return "", 400
    print("received", request.get_json()["type"])
    return "", 204
app.run(port=int(os.environ["PORT"]))
`

// webhook runs a command of webhooks and gives what it answers of texts.
func (p *platform) webhook(t *testing.T, args ...string) map[string]string {
	t.Helper()
	out, complaint, status := p.loop(t, append([]string{"webhook"}, append(args, "--json")...)...)
	if status != 0 {
		t.Fatalf("loop webhook %v: %s", args, complaint)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("loop webhook %v: %v in %s", args, err, out)
	}
	texts := make(map[string]string)
	for name, value := range answer {
		texts[name], _ = value.(string)
	}
	p.secrets.saw("signing secret", texts["secret"])
	return texts
}

// freePort is a port that nobody listens on at this moment.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()                                   //nolint:errcheck // it was only asked for its port
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // of tcp
}
