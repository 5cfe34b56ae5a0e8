package test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/test/process"
)

func TestLoopDev(t *testing.T) {
	p := startPlatform(t, "--no-quickstart")
	first := p.env

	t.Run("started twice says where the first runs and how to stop it", func(t *testing.T) {
		out, err, status := p.loop(t, "dev", "--port", "0")
		if status != 1 || !strings.Contains(out+err, "loop dev stop") {
			t.Errorf("the second ends with status %d and says:\n%s%s", status, out, err)
		}
		if strings.Count(strings.TrimSpace(err), "\n") > 3 {
			t.Errorf("that is not one clear sentence:\n%s", err)
		}
	})

	t.Run("keeps ids, secret and passwords across a restart", func(t *testing.T) {
		p.restart(t)
		for name, value := range first {
			if strings.HasSuffix(name, "_URL") || name == "PWD" || name == "_" || name == "SHLVL" {
				continue // free ports are others each time
			}
			if p.env[name] != value {
				t.Errorf("%s was %q and is %q", name, value, p.env[name])
			}
		}
	})

	t.Run("has passwords of four words that can be typed", func(t *testing.T) {
		for name, value := range first {
			if strings.HasSuffix(name, "_PASSWORD") && len(strings.FieldsFunc(value, func(r rune) bool { return r < 'a' || r > 'z' })) != 4 {
				t.Errorf("%s is %q", name, value)
			}
		}
	})

	t.Run("listens on loopback only", func(t *testing.T) {
		for _, address := range ownAddresses(t) {
			host := net.JoinHostPort(address, portOf(t, p.env["LOOP_IDENTITY_URL"]))
			if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host); err == nil {
				_ = conn.Close()
				t.Errorf("%s answers", host)
			}
		}
	})

	t.Run("is stopped by loop dev stop", func(t *testing.T) {
		if out, err, status := p.loop(t, "dev", "stop"); status != 0 {
			t.Fatalf("loop dev stop ends with status %d:\n%s%s", status, out, err)
		}
		if status := p.server.Wait(t); status != 0 {
			t.Errorf("loop dev ended with status %d", status)
		}
		p.server = nil
		if _, err, status := p.loop(t, "dev", "stop"); status == 0 {
			t.Errorf("stopping what does not run ends with status 0 and says %s", err)
		}
	})

	t.Run("starts over after loop dev reset", func(t *testing.T) {
		if out, err, status := p.loop(t, "dev", "reset", "--yes"); status != 0 {
			t.Fatalf("loop dev reset ends with status %d:\n%s%s", status, out, err)
		}
		p.start(t)
		if p.env["LOOP_CLIENT_SECRET"] == first["LOOP_CLIENT_SECRET"] {
			t.Error("the app's secret is the same as before")
		}
	})
}

func TestLoopDevSaysInOneSentenceWhyItCannotStart(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newer := startPlatform(t, "--no-quickstart")
	newer.stop(t)
	db := open(t, filepath.Join(newer.folder, ".loop", "identity.db"))
	mustExec(t, db, newerSchema)

	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"a port that is taken":             {[]string{"--dir", filepath.Join(t.TempDir(), "state"), "--port", portOf(t, "http://"+taken.Addr().String())}, "--port"},
		"a folder that is a file":          {[]string{"--dir", file}, file},
		"a folder from a newer version":    {[]string{"--dir", filepath.Join(newer.folder, ".loop"), "--port", "0"}, "newer"},
		"a folder made for another issuer": {[]string{"--dir", filepath.Join(newer.folder, ".loop"), "--port", "0", "--domain", domain}, "http://localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &platform{folder: t.TempDir()}
			out, err, status := p.loop(t, append([]string{"dev"}, test.args...)...)
			if status != 1 || !strings.Contains(err, test.says) || strings.Count(strings.TrimSpace(err), "\n") > 2 {
				t.Errorf("it ends with status %d and says:\n%s%s", status, out, err)
			}
		})
	}
}

// newerSchema makes a database look like one of a later version.
const newerSchema = `INSERT INTO schema_migrations (part, number, name, applied_at)
	SELECT part, 9999, 'of a later version', 0 FROM schema_migrations LIMIT 1`

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(hostOf(t, address))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// ownAddresses are this machine's addresses that others could reach.
func ownAddresses(t *testing.T) []string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			own = append(own, network.IP.String())
		}
	}
	return own
}

func TestTheWrongLoopbackNameIsExplained(t *testing.T) {
	p := startPlatform(t, "--no-quickstart")
	request := p.authorization("x")
	request.Set("redirect_uri", strings.Replace(p.env["LOOP_REDIRECT_URI"], "localhost", "127.0.0.1", 1))
	answered := p.visitor(t).get(t, p.env["LOOP_IDENTITY_URL"]+"/v1/oauth/authorize?"+request.Encode())
	if answered.StatusCode != http.StatusBadRequest || !strings.Contains(string(answered.body), "127.0.0.1") || !strings.Contains(string(answered.body), "localhost") {
		t.Errorf("status %d and:\n%s", answered.StatusCode, process.Tail(string(answered.body)))
	}
}
