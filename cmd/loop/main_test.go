package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// operator is somebody at a command line, with a platform of their own that does
// not run.
type operator struct {
	database string // of inDatabase
	t        *testing.T
	env      []string
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	_, master := credential.NewMaster(loop.Machine{})
	return &operator{t: t, env: []string{
		"LOOP_DIR=" + t.TempDir(), "LOOP_MASTER_KEY=" + master,
		"LOOP_IDENTITY_URL=https://id.example.com", "LOOP_CLINICAL_URL=https://clinical.example.com", "LOOP_DEVELOPERS_URL=https://developers.example.com",
	}}
}

// try runs a command and gives what it said.
func (o *operator) try(args ...string) (stdout, stderr string, status int) {
	o.t.Helper()
	var out, faults bytes.Buffer
	status = run(o.t.Context(), args, o.env, strings.NewReader(""), &out, &faults)
	return out.String(), faults.String(), status
}

// do runs a command that must succeed.
func (o *operator) do(args ...string) string {
	o.t.Helper()
	out, faults, status := o.try(args...)
	if status != 0 {
		o.t.Fatalf("loop %s: status %d: %s", strings.Join(args, " "), status, faults)
	}
	return out
}

// object runs a command with --json and reads what it says.
func (o *operator) object(args ...string) map[string]any {
	o.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(o.do(append(args, "--json")...)), &v); err != nil {
		o.t.Fatalf("loop %s --json: %v", strings.Join(args, " "), err)
	}
	return v
}

func text(t *testing.T, v map[string]any, name string) string {
	t.Helper()
	s, ok := v[name].(string)
	if !ok || s == "" {
		t.Fatalf("%s is missing in %v", name, v)
	}
	return s
}

func TestLoop_AnAppIsMadeChangedAndEndedWithoutAServer(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	made := o.object("client", "create", "--name", "Morning Labs", "--redirect-uri", "https://app.example.com/cb", "--scope", "openid profile")
	id, secret := text(t, made, "client_id"), text(t, made, "client_secret")
	if !strings.HasPrefix(secret, "secret_") {
		t.Errorf("the secret is %q", secret)
	}
	if shown := o.do("client", "show", id, "--json"); strings.Contains(shown, secret) {
		t.Error("a secret is shown twice")
	}
	o.do("client", "update", id, "--mode", "production", "--baa-signed-on", "2026-03-02", "--baa-by", "Grace Hopper", "--verified", "--access-token-ttl", "10m")
	shown := o.object("client", "show", id)
	if shown["mode"] != "production" || shown["verified"] != true || shown["baa"] == nil {
		t.Errorf("after the update: %v", shown)
	}
	if again := text(t, o.object("client", "rotate-secret", id), "client_secret"); again == secret {
		t.Error("the secret is the same")
	}
	o.do("client", "disable", id)
	if shown := o.object("client", "show", id); shown["enabled"] != false {
		t.Errorf("after disabling: %v", shown)
	}
	o.do("client", "enable", id)
	if list := o.do("client", "list"); !strings.Contains(list, id) || !strings.Contains(list, "Morning Labs") {
		t.Errorf("the list: %s", list)
	}
	o.do("audit", "verify")
	if tail := o.do("audit", "tail"); !strings.Contains(tail, "client.disabled") || strings.Contains(tail, secret) {
		t.Errorf("the record: %s", tail)
	}
}

func TestLoop_AnAppIsDeletedForGood(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	id := text(t, o.object("client", "create", "--name", "Morning Labs", "--redirect-uri", "https://app.example.com/cb"), "client_id")
	if out := o.do("client", "delete", id); !strings.Contains(out, "Morning Labs") || !strings.Contains(out, "deleted") {
		t.Errorf("it says %s", out)
	}
	if _, says, status := o.try("client", "show", id); status != 1 || !strings.Contains(says, "there is no client") {
		t.Errorf("afterwards: status %d: %s", status, says)
	}
	if _, says, status := o.try("client", "delete", id); status != 1 || !strings.Contains(says, "no client") {
		t.Errorf("a second time: status %d: %s", status, says)
	}
	if tail := o.do("audit", "tail"); !strings.Contains(tail, "client.deleted") {
		t.Errorf("the record: %s", tail)
	}
	o.do("audit", "verify")
}

func TestLoop_AUserIsMadeSuspendedAndLetInAgain(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	made := o.object("user", "create", "--name", "Ada", "--email", "ada@members.example", "--test", "--sex", "female")
	id := text(t, made, "user_id")
	o.do("user", "suspend", id)
	if list := o.do("user", "list"); !strings.Contains(list, "suspended") {
		t.Errorf("the list: %s", list)
	}
	o.do("user", "resume", id)
	if list := o.do("grant", "list", "--user", id); strings.Contains(list, "grant_") {
		t.Errorf("a grant out of nowhere: %s", list)
	}
}

func TestLoop_KeysAreRotatedRevokedAndRewrapped(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	o.do("user", "create", "--name", "Ada", "--email", "ada@members.example")
	if list := o.do("keys", "list"); !strings.Contains(list, "PS256") || !strings.Contains(list, "active") || strings.Contains(list, "announced") {
		t.Errorf("the list: %s", list)
	}
	if made := o.do("keys", "rotate", "EdDSA"); !strings.Contains(made, "announced") {
		t.Errorf("a rotation says: %s", made)
	}
	revoked, ok := o.object("keys", "revoke", "1", "2")["made"].([]any)
	if !ok || len(revoked) != 2 {
		t.Errorf("a revocation made %v", revoked)
	}
	_, master := credential.NewMaster(loop.Machine{})
	if out := o.do("keys", "rewrap", "--master-key-file", file(t, master+"\n")); !strings.Contains(out, "LOOP_MASTER_KEY") {
		t.Errorf("rewrapping says: %s", out)
	}
	if _, faults, status := o.try("keys", "list"); status == 0 || !strings.Contains(faults, "rewrap") || strings.Count(faults, "\n") != 1 {
		t.Errorf("with the old master key: status %d: %s", status, faults)
	}
	o.env = append(o.env, "LOOP_MASTER_KEY="+master)
	if tail := o.do("audit", "tail"); !strings.Contains(tail, "keys.rewrapped") || !strings.Contains(tail, "key.revoked") {
		t.Errorf("the record: %s", tail)
	}
	o.do("audit", "verify")
}

func TestLoop_EveryFaultIsASentenceAndChangesNothing(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	before := o.do("client", "list")
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"all faults of an app at once":    {[]string{"client", "create", "--name", "L00p", "--redirect-uri", "http://app.example.com/cb", "--redirect-uri", "https://app.example.com/#x"}, []string{"reserved", "Use https", "fragment"}},
		"an app that is not there":        {[]string{"client", "show", "client_01HXY00000000000000000000Z"}, []string{"client"}},
		"a grant that is not there":       {[]string{"grant", "revoke", "grant_01HXY00000000000000000000Z"}, []string{"no grant"}},
		"a user that is not there":        {[]string{"user", "suspend", "user_01HXY00000000000000000000Z"}, []string{"no member"}},
		"a command that is not there":     {[]string{"launch"}, []string{"launch"}},
		"a flag that is not there":        {[]string{"client", "list", "--colour"}, []string{"--colour"}},
		"an address that is none":         {[]string{"user", "create", "--name", "Bob", "--email", "bob"}, []string{"e-mail address"}},
		"serve: a key that nobody knows":  {[]string{"serve", "--check", "--config", file(t, "identity_ulr = \"x\"\n")}, []string{"identity_ulr"}},
		"serve: http that is not at home": {[]string{"serve", "--check", "--identity-url", "http://id.example.com"}, []string{"must be https"}},
		"serve: limits that are neither":  {[]string{"serve", "--check", "--limits", "maybe"}, []string{"--limits: ", "neither on nor off"}},
		"serve: every fault of every proxy": {
			[]string{"serve", "--check", "--trusted-proxies", "10.1.2.3/16, proxy.example.com,0.0.0.0/0,::ffff:10.0.0.0/104, ,10.1.0.0/16", "--limits", "maybe"},
			[]string{"--trusted-proxies: ", "write 10.1.0.0/16", `"proxy.example.com" is not a network`, "0.0.0.0/0 is everybody", `"::ffff:10.0.0.0/104" is not`, `"" is not`, "neither on nor off"},
		},
		"serve: a secret in the file": {[]string{"serve", "--check", "--config", file(t, "master_key = \"x\"\n")}, []string{"LOOP_MASTER_KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults, status := o.try(c.args...)
			if status != 1 {
				t.Errorf("status %d", status)
			}
			for _, says := range c.says {
				if !strings.Contains(faults, says) {
					t.Errorf("it does not say %q: %s", says, faults)
				}
			}
		})
	}
	if after := o.do("client", "list"); after != before {
		t.Errorf("something was changed:\n%s", after)
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "loop.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoop_ServeCheckSaysThatAllIsWell(t *testing.T) {
	t.Parallel()
	if out := newOperator(t).do("serve", "--check"); !strings.Contains(out, "sound") {
		t.Errorf("it says %q", out)
	}
}

func TestLoop_VersionWorksFromAnyBuild(t *testing.T) {
	t.Parallel()
	if out := newOperator(t).do("version"); !strings.HasPrefix(out, "loop ") {
		t.Errorf("it says %q", out)
	}
}

func TestLoop_ABackupIsMadeAndRestoredWithoutAServer(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	o.do("user", "create", "--name", "Ada", "--email", "ada@members.example")
	path := filepath.Join(t.TempDir(), "loop.backup")
	if _, says, status := o.try("backup", path); status != 0 || !strings.Contains(says, "records verified") || !strings.Contains(says, "master key is not in it") {
		t.Fatalf("loop backup: status %d: %s", status, says)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is not its owner's alone: %v, %v", info, err)
	}
	if _, says, status := o.try("backup", path); status == 0 || !strings.Contains(says, "exists already") {
		t.Errorf("over another backup: status %d: %s", status, says)
	}
	o.do("user", "create", "--name", "Bob", "--email", "bob@members.example")
	if out := o.do("restore", path); !strings.Contains(out, "Epoch 2 begins") || !strings.Contains(out, "before-restore-") {
		t.Errorf("loop restore says: %s", out)
	}
	if list := o.do("user", "list"); !strings.Contains(list, "ada@members.example") || strings.Contains(list, "bob@members.example") {
		t.Errorf("after the restore: %s", list)
	}
	if out := o.do("restore", "--as-it-is"); !strings.Contains(out, "Epoch 3 begins") {
		t.Errorf("loop restore --as-it-is says: %s", out)
	}
	if tail := o.do("audit", "tail"); !strings.Contains(tail, "epoch.begun") {
		t.Errorf("the record: %s", tail)
	}
	o.do("audit", "verify")
	for _, args := range [][]string{{"restore"}, {"restore", path, "--as-it-is"}, {"restore", path + ".none"}, {"backup", filepath.Join(path, "below")}} {
		if _, says, status := o.try(args...); status != 1 || strings.Count(says, "\n") != 1 {
			t.Errorf("loop %s: status %d: %s", strings.Join(args, " "), status, says)
		}
	}
}

// serve starts a server on ports that are free, in this process, and gives how it ended
// once it has.
func (o *operator) serve(ctx context.Context, args ...string) <-chan error {
	o.t.Helper()
	return o.serveLogging(ctx, &safeBuffer{}, args...)
}

// serveLogging is serve, with its log.
func (o *operator) serveLogging(ctx context.Context, log *safeBuffer, args ...string) <-chan error {
	o.t.Helper()
	args = append(args, freePorts(o.t)...)
	ready, ended := make(chan struct{}), make(chan error, 1)
	out := writerFunc(func(p []byte) (int, error) {
		if bytes.HasPrefix(p, []byte("ready: ")) {
			close(ready)
		}
		return len(p), nil
	})
	go func() {
		if status := run(ctx, append([]string{"serve"}, args...), o.env, strings.NewReader(""), out, log); status != 0 {
			ended <- errors.New(log.String())
		}
		close(ended)
	}()
	select {
	case <-ready:
	case err := <-ended:
		o.t.Fatalf("the server does not start: %v", err)
	}
	return ended
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
