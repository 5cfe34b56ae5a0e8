package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
)

// comparePrefixes lets cmp compare networks.
var comparePrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestConfig_TrustedProxiesAreNetworks(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for name, c := range map[string]struct {
		flags serveFlags
		env   string
		want  []netip.Prefix
	}{
		"nobody, if nothing is said":     {},
		"by flag":                        {flags: serveFlags{TrustedProxies: "10.1.0.0/16"}, want: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}},
		"by variable":                    {env: "fd00:1::/32", want: []netip.Prefix{netip.MustParsePrefix("fd00:1::/32")}},
		"by file, several":               {flags: serveFlags{Config: file(t, `trusted_proxies = "10.1.0.0/16, fd00:1::/32"`)}, want: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}},
		"an address is a network of one": {flags: serveFlags{TrustedProxies: "127.0.0.1,::1"}, want: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := readConfig(c.flags, append(o.env[:len(o.env):len(o.env)], "LOOP_TRUSTED_PROXIES="+c.env))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, config.TrustedProxies, comparePrefixes); diff != "" || config.Unlimited {
				t.Errorf("unlimited: %t, want (-), got (+):\n%s", config.Unlimited, diff)
			}
		})
	}
}

func TestConfig_AProxyInFrontThatNobodyNamedIsPointedOut(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	if out := o.do("serve", "--check"); !strings.Contains(out, "trusted_proxies names none") {
		t.Errorf("it says %q", out)
	}
	if out := o.do("serve", "--check", "--trusted-proxies", "10.1.0.0/16"); strings.Contains(out, "names none") {
		t.Errorf("with a proxy it says %q", out)
	}
}

func TestServe_LimitsAndProxiesAreAsTheConfigurationSays(t *testing.T) {
	t.Parallel()
	const proxy, stranger = "10.1.0.1:1", "203.0.113.9:1"
	for name, c := range map[string]struct {
		flags        serveFlags
		peer         string
		want, lastly int // status of the first and of the last
		left         string
	}{
		"on, if nothing is said":                 {serveFlags{}, stranger, 400, 429, "29"},
		"the clients of a trusted proxy":         {serveFlags{TrustedProxies: "10.1.0.0/16"}, proxy, 400, 400, "29"},
		"Sec123 a header that a stranger forged": {serveFlags{TrustedProxies: "10.1.0.0/16"}, stranger, 400, 429, "29"},
		"off":                                    {serveFlags{Limits: "off"}, stranger, 400, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := readConfig(c.flags, newOperator(t).env)
			if err != nil {
				t.Fatal(err)
			}
			p, err := open(t.Context(), forProduction(config, slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close(t.Context()) })
			identity, _, _ := p.Hosts()
			first := authorize(identity, c.peer, "198.51.100.1")
			last := first
			for i := range 40 {
				last = authorize(identity, c.peer, "192.0.2."+strconv.Itoa(i))
			}
			if first.Code != c.want || first.Header().Get("X-RateLimit-Remaining") != c.left || last.Code != c.lastly {
				t.Errorf("the first is answered %d %v, the last %d", first.Code, first.Header(), last.Code)
			}
		})
	}
}

// authorize sends an authorization request without parameters.
func authorize(h http.Handler, peer, forwardedFor string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "https://id.example.com/v1/oauth/authorize", http.NoBody)
	r.RemoteAddr = peer
	r.Header.Set("X-Forwarded-For", forwardedFor)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestConfig_EveryKeyIsInTheDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "loop-serve.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if !strings.Contains(string(page), "`"+s.name+"`") {
			t.Errorf("docs/loop-serve.md says nothing of %s", s.name)
		}
	}
	if !strings.Contains(string(page), "[["+resourcesKey+"]]") {
		t.Error("docs/loop-serve.md does not show a resource")
	}
}

func TestConfig_Resources(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want []loop.Resource
		says string
	}{
		"one of each kind": {
			file: "[[resources]]\nidentifier = 'https://orders.example.com'\nscopes = ['orders:read']\nformat = 'jwt'\n[[resources]]\nidentifier = 'https://files.example.com'\n",
			want: []loop.Resource{
				{Identifier: "https://orders.example.com", Scopes: []string{"orders:read"}, Format: loop.FormatJWT},
				{Identifier: "https://files.example.com", Format: loop.FormatOpaque},
			},
		},
		"no identifier":            {file: "[[resources]]\nscopes = ['a']\n", says: "the identifier must be an absolute URI"},
		"another format":           {file: "[[resources]]\nidentifier = 'https://a.example'\nformat = 'saml'\n", says: "the format is opaque or jwt"},
		"a scope of this platform": {file: "[[resources]]\nidentifier = 'https://a.example'\nscopes = ['read:biomarkers']\n", says: "can't be a scope there"},
		"an unknown key":           {file: "[[resources]]\nidentifier = 'https://a.example'\nscope = 'a'\n", says: "there is no key scope"},
		"one twice":                {file: "[[resources]]\nidentifier = 'https://a.example'\n[[resources]]\nidentifier = 'https://a.example'\n", says: "is there twice"},
		"no table":                 {file: "resources = 'https://a.example'\n", says: "must be tables"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "loop.toml")
			if err := os.WriteFile(path, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			c := &config{}
			_, err := c.readFile(path)
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("it says %v, want %q", err, test.says)
				}
				return
			}
			if diff := cmp.Diff(test.want, c.Resources); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}
