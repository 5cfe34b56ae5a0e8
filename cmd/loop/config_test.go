package main

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
)

// comparePrefixes lets cmp compare networks.
var comparePrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestConfig_TrustedProxiesAreNetworks(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for name, c := range map[string]struct {
		from sources
		env  string
		want []netip.Prefix
	}{
		"nobody, if nothing is said":     {},
		"by flag":                        {from: sources{flags: map[string]string{"trusted_proxies": "10.1.0.0/16"}}, want: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}},
		"by variable":                    {env: "fd00:1::/32", want: []netip.Prefix{netip.MustParsePrefix("fd00:1::/32")}},
		"by file, several":               {from: sources{file: file(t, `trusted_proxies = "10.1.0.0/16, fd00:1::/32"`)}, want: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}},
		"an address is a network of one": {from: sources{flags: map[string]string{"trusted_proxies": "127.0.0.1,::1"}}, want: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}},
	} {
		t.Run(name, func(t *testing.T) {
			c.from.env = append(o.env[:len(o.env):len(o.env)], "LOOP_TRUSTED_PROXIES="+c.env)
			config, err := readConfig(c.from)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, []netip.Prefix(config.TrustedProxies), comparePrefixes); diff != "" || config.Limits.Off {
				t.Errorf("limits off: %t, want (-), got (+):\n%s", config.Limits.Off, diff)
			}
		})
	}
}

func TestConfig_AContactIsAnAddressOfMailOrAPage(t *testing.T) {
	t.Parallel()
	for text, right := range map[string]bool{
		"mailto:security@example.com": true, "https://example.com/security": true,
		"security@example.com": false, "http://example.com/security": false, "mailto:security": false, "https://": false,
	} {
		var contact contactAddress
		err := contact.UnmarshalText([]byte(text))
		if (err == nil) != right || right && string(contact) != text {
			t.Errorf("%q is read as %q, %v", text, contact, err)
		}
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
		flags        map[string]string
		peer         string
		want, lastly int // status of the first and of the last
		left         string
	}{
		"on, if nothing is said":                 {nil, stranger, 400, 429, "29"},
		"the clients of a trusted proxy":         {map[string]string{"trusted_proxies": "10.1.0.0/16"}, proxy, 400, 400, "29"},
		"Sec123 a header that a stranger forged": {map[string]string{"trusted_proxies": "10.1.0.0/16"}, stranger, 400, 429, "29"},
		"off":                                    {map[string]string{"limits": "off"}, stranger, 400, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, err := readConfig(sources{flags: c.flags, env: newOperator(t).env})
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

var update = flag.Bool("update", false, "write the table of keys into docs/loop-serve.md")

// tableOfKeys is the documentation's table: from its head to the first line that is
// no row.
var tableOfKeys = regexp.MustCompile(`(?m)^\| key \|.*\n(\|.*\n)+`)

func TestConfig_TheDocumentationShowsTheKeysAsTheyAre(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "loop-serve.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := tableOfKeys.FindAll(page, -1)
	if len(found) != 1 {
		t.Fatalf("docs/loop-serve.md has %d tables of keys", len(found))
	}
	if *update {
		if err := os.WriteFile(path, bytes.Replace(page, found[0], []byte(keysTable()), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(keysTable(), string(found[0])); diff != "" {
		t.Errorf("go test ./cmd/loop -run Documentation -update writes it anew (-keys +page):\n%s", diff)
	}
	if !strings.Contains(string(page), "[[resources]]") {
		t.Error("docs/loop-serve.md does not show a resource")
	}
}

func TestConfig_EachKeyIsAFlagAVariableAndALineOfTheFile(t *testing.T) {
	t.Parallel()
	var serve serveCommand
	serve.Flags = newServeFlags()
	parser, err := kong.New(&serve)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		const text = "given"
		if k.only == "" {
			if _, err := parser.Parse([]string{k.flag(), text}); err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
			if got := serve.Flags.values()[k.name]; got != text {
				t.Errorf("the flag of %s is read as %q", k.name, got)
			}
			var inFile config
			if err := inFile.layers(sources{file: file(t, k.name+` = "`+text+`"`)}); err != nil || inFile.given[k.name].text != text {
				t.Errorf("the line %s is read as %q, %v", k.name, inFile.given[k.name], err)
			}
		}
		if k.only != onlyFile {
			var variable config
			if err := variable.layers(sources{env: []string{k.variable() + "=" + text}}); err != nil || variable.given[k.name].text != text {
				t.Errorf("%s is read as %q, %v", k.variable(), variable.given[k.name], err)
			}
		}
		if k.help == "" || !strings.Contains(keysTable(), "| `"+k.name+"` |") {
			t.Errorf("nothing says what %s is", k.name)
		}
	}
}

func TestConfig_ADatabasePastAPoolerNeedsOneThatLeadsThroughIt(t *testing.T) {
	t.Parallel()
	const says = "database_direct is given without database"
	for _, c := range []struct {
		config config
		wrong  bool
	}{
		{config{DatabaseDirect: "postgres://db.example.com/loop"}, true},
		{config{DatabaseDirect: "postgres://db.example.com/loop", Database: "postgres://pooler.example.com/loop"}, false},
	} {
		if err := c.config.agree(); (err != nil && strings.Contains(err.Error(), says)) != c.wrong {
			t.Errorf("with %q and %q it says %v", c.config.Database, c.config.DatabaseDirect, err)
		}
	}
}

func TestConfig_VariablesOfAppsAndOfScriptsAroundAreNotTheConfigurations(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"LOOP_CLIENT_ID", "LOOP_MEMBER_EMAIL", "LOOP_TEST_STRICT", "LOOP_BIN"} {
		if err := (&config{}).layers(sources{env: []string{name + "=x"}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfig_TheFlagWinsOverTheVariableAndThatOverTheFile(t *testing.T) {
	t.Parallel()
	from := sources{file: file(t, `log_level = "error"`)}
	for _, layer := range []struct {
		add          func()
		want, source string
	}{
		{func() {}, "error", "loop.toml:1"},
		{func() { from.env = []string{"LOOP_LOG_LEVEL=warn"} }, "warn", "LOOP_LOG_LEVEL"},
		{func() { from.flags = map[string]string{"log_level": "debug"} }, "debug", "--log-level"},
	} {
		layer.add()
		var c config
		if err := c.layers(from); err != nil || c.given["log_level"].text != layer.want || !strings.HasSuffix(c.given["log_level"].source, layer.source) {
			t.Errorf("got %q, %v, want %q from %s", c.given["log_level"], err, layer.want, layer.source)
		}
	}
}

func TestConfig_AnUnknownNameIsReportedWithTheNearest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from sources
		says string
	}{
		"letters swapped in the file":       {sources{file: file(t, `identity_ulr = "https://id.example.com"`)}, "there is no key identity_ulr (did you mean identity_url?): loop serve --help lists them"},
		"a letter too many":                 {sources{file: file(t, `rolle = "all"`)}, "there is no key rolle (did you mean role?)"},
		"a key of the file that is no text": {sources{file: file(t, "[[resource]]\nidentifier = 'https://a.example'\n")}, "there is no key resource (did you mean resources?)"},
		"nothing is near":                   {sources{file: file(t, `favourite_colour = "blue"`)}, "there is no key favourite_colour: loop serve --help lists them"},
		"a letter missing in a variable":    {sources{env: []string{"LOOP_TRUSTED_PROXIE=10.0.0.0/8"}}, "the environment sets LOOP_TRUSTED_PROXIE, which nothing reads (did you mean LOOP_TRUSTED_PROXIES?): correct or unset it"},
		"a variable for a key of the file":  {sources{env: []string{"LOOP_RESOURCES=x"}}, "the environment sets LOOP_RESOURCES, which nothing reads: correct or unset it"},
		"a variable that nothing is near":   {sources{env: []string{"LOOP_FAVOURITE_COLOUR=blue"}}, "the environment sets LOOP_FAVOURITE_COLOUR, which nothing reads: correct or unset it"},
	} {
		if err := (&config{}).layers(c.from); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: it says %v, want %q", name, err, c.says)
		}
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
			err := c.layers(sources{file: path})
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("it says %v, want %q", err, test.says)
				}
				return
			}
			if diff := cmp.Diff(test.want, []loop.Resource(c.Resources)); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestConfig_AnAddressIsKeptWithoutItsDefaultPort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://id.example.com:443":  "https://id.example.com",
		"https://id.example.com":      "https://id.example.com",
		"https://id.example.com:8443": "https://id.example.com:8443",
		"http://localhost:80":         "http://localhost",
		"https://[2001:db8::443]":     "https://[2001:db8::443]",
	} {
		var read origin
		if err := read.UnmarshalText([]byte(text)); err != nil || read.String() != want {
			t.Errorf("%s is read as %v, %v, want %s", text, read.URL, err, want)
		}
	}
}

func TestConfig_CIMDIsAllOffOrHosts(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for text, want := range map[string]documentHosts{
		"":                                {All: true},
		"all":                             {All: true},
		"off":                             {},
		"example.com":                     {Names: []string{"example.com"}},
		"example.com, assistants.example": {Names: []string{"example.com", "assistants.example"}},
	} {
		from := sources{env: o.env, flags: map[string]string{}}
		if text != "" {
			from.flags["cimd"] = text
		}
		if config, err := readConfig(from); err != nil || !cmp.Equal(config.CIMD, want) {
			t.Errorf("%q reads as %+v, %v", text, config, err)
		}
	}
	if config, err := readConfig(sources{env: o.env, file: file(t, `cimd = ["example.com", "assistants.example"]`)}); err != nil || len(config.CIMD.Names) != 2 {
		t.Errorf("a list reads as %+v, %v", config.CIMD, err)
	}
	for _, list := range []string{`[1]`, `["a.example,b.example"]`, `[["a.example"]]`} {
		if _, err := readConfig(sources{env: o.env, file: file(t, "cimd = "+list)}); err == nil || !strings.Contains(err.Error(), "cimd: each value") {
			t.Errorf("%s: %v", list, err)
		}
	}
	for _, text := range []string{"https://example.com", "Example.com", "*.example.com", "example.com:443", "example.com/x", ","} {
		var hosts documentHosts
		if err := hosts.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q reads as %+v", text, hosts)
		}
	}
}

func TestConfig_AFaultNamesWhereItIs(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for name, c := range map[string]struct {
		from sources
		says []string
	}{
		"a number in the file":      {sources{file: file(t, "# by hand\n\nconnections = \"many\"\n")}, []string{`loop.toml:3: connections: "many" is not a number`}},
		"behind a text of lines":    {sources{file: file(t, "mtls_header = \"\"\"\nconnections = 1\n\"\"\"\nconnections = 0\n")}, []string{"loop.toml:4: connections:"}},
		"a truth in the file":       {sources{file: file(t, "limits = true\n")}, []string{"loop.toml:1: limits must be a text, a number or a list"}},
		"a key that nobody knows":   {sources{file: file(t, "role = \"all\"\nfoo = 1\n")}, []string{"loop.toml:2: there is no key foo:"}},
		"no TOML":                   {sources{file: file(t, "role = \"all\"\nconnections =\n")}, []string{"loop.toml:2 is not TOML"}},
		"no file":                   {sources{file: filepath.Join(t.TempDir(), "loop.toml")}, []string{"the configuration file can't be read"}},
		"a variable":                {sources{env: append(o.env, "LOOP_CONNECTIONS=many")}, []string{"LOOP_CONNECTIONS: "}},
		"a flag":                    {sources{flags: map[string]string{"connections": "many"}}, []string{"--connections: "}},
		"a value that is none":      {sources{flags: map[string]string{"role": "identty", "log_level": "wran", "smtp_tls": "startls"}}, []string{"did you mean identity?", "did you mean warn?", "did you mean starttls?"}},
		"a scheme that is none":     {sources{flags: map[string]string{"database": "postgre://db.example.com/loop"}}, []string{"--database: it begins with no postgres:// (did you mean postgres?)"}},
		"a value, and nothing near": {sources{flags: map[string]string{"role": "everything"}}, []string{`"everything" is none of identity, clinical, developers, all`}},
		"what is missing":           {sources{}, []string{"dir is missing: the folder of the platform's data (--dir, LOOP_DIR, or dir in the file of --config)"}},
	} {
		_, err := readConfig(c.from)
		for _, says := range c.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: it says %v, want %q", name, err, says)
			}
		}
	}
	for _, unread := range []string{file(t, "connections =\n"), "nowhere.toml"} {
		if _, err := readConfig(sources{file: unread}); err == nil || strings.Contains(err.Error(), "missing") {
			t.Errorf("of a file that can't be read it says more than that: %v", err)
		}
	}
}

func TestConfig_WhatIsLoggedHoldsNoSecret(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	_, master, _ := strings.Cut(o.env[1], "=")
	word := fmt.Sprintf("%x", master[:10])
	c, err := readConfig(sources{
		file:  file(t, "log_level = \"warn\"\n[[resources]]\nidentifier = 'https://a.example'\n"),
		flags: map[string]string{"limits": "redis://u:" + word + "@valkey.example.com:6379", "connections": "4"},
		env:   append(o.env, "LOOP_DATABASE=postgres://u:"+word+"@db.example.com/loop?sslpassword="+word+"&sslmode=verify-full", "LOOP_SMTP_PASSWORD="+word, "LOOP_SMTP_SERVER=smtp.example.com:587", "LOOP_SMTP_USER=u", "LOOP_SMTP_FROM=no-reply@example.com"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("the configuration", "configuration", c)
	for _, want := range []string{
		`"connections":{"value":"4","from":"--connections"}`, `"smtp_password":{"value":"set","from":"LOOP_SMTP_PASSWORD"}`, `"role":{"value":"all","from":"default"}`,
		`"resources":{"value":"set"`, `loop.toml:1"}`, "postgres://u:xxxxx@db.example.com/loop", "redis://u:xxxxx@valkey.example.com:6379", `"master_key":{"value":"set","from":"LOOP_MASTER_KEY"}`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %s: %s", want, out.String())
		}
	}
	if strings.Contains(out.String(), word) {
		t.Errorf("a secret is in it: %s", out.String())
	}
}
