package loop_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestRedirectURI_Registration(t *testing.T) {
	t.Parallel()
	accepted := map[string]string{
		"https with a path":                           "https://app.example.com/cb",
		"https with port and query":                   "https://app.example.com:8443/cb?tenant=1",
		"https without a path":                        "https://app.example.com",
		"RFC 8252 §7.3 http on 127.0.0.1":             "http://127.0.0.1/cb",
		"RFC 8252 §7.3 http on the IPv6 loopback":     "http://[::1]:8080/cb",
		"http on localhost with a port":               "http://localhost:5000/callback",
		"Sec190 a name in another script":             "https://xn--bcher-kva.example/cb",
		"Sec190 an IPv4 address":                      "https://192.0.2.1/cb",
		"Sec190 an IPv6 address":                      "https://[2001:db8::1]/cb",
		"Sec190 a label that begins with digits":      "https://4u.0x.example/cb",
		"Sec191 names that only begin alike":          "https://app.example.com/cb?codec=1&state_of_mind=2&postcode=3&error-free=4",
		"RFC 8252 §7.1 a private-use scheme with dot": "com.example.app:/callback",
	}
	for name, uri := range accepted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := loop.RedirectURI(uri).Validate(); err != nil {
				t.Errorf("%s refused: %v", uri, err)
			}
		})
	}
	refused := map[string]struct{ uri, rule string }{
		"empty":                                   {"", "empty"},
		"relative":                                {"/cb", "scheme"},
		"scheme-relative":                         {"//app.example.com/cb", "scheme"},
		"Sec002 a fragment":                       {"https://app.example.com/cb#", "fragment"},
		"Sec002 a response parameter":             {"https://app.example.com/cb?code=evil", "code"},
		"Sec002 iss in the query":                 {"https://app.example.com/cb?x=1&iss=https://evil.example", "iss"},
		"Sec011 javascript":                       {"javascript:alert(1)//app.example.com/cb", "scheme"},
		"Sec011 javascript in other case":         {"JaVaScRiPt:alert(1)", "lower case"},
		"Sec011 data":                             {"data:text/html,x", "scheme"},
		"Sec011 vbscript":                         {"vbscript:x", "scheme"},
		"Sec011 file":                             {"file:///etc/passwd", "scheme"},
		"Sec011 blob":                             {"blob:https://app.example.com/1", "scheme"},
		"Sec011 view-source":                      {"view-source:https://app.example.com/cb", "scheme"},
		"Sec011 an encoded line break":            {"java%0ascript:alert(1)", "well-formed"},
		"Sec014 a wildcard host":                  {"https://*.example.com/cb", "wildcards"},
		"Sec014 a wildcard path":                  {"https://app.example.com/*", "wildcards"},
		"Sec014 user info":                        {"https://u:p@app.example.com/cb", "user name"},
		"Sec014 http off loopback":                {"http://app.example.com/cb", "https"},
		"Sec014 a private scheme without a dot":   {"myapp:/cb", "dot"},
		"private scheme with a host":              {"com.example.app://host/cb", "slash"},
		"a backslash":                             {`https://app.example.com\cb`, "backslash"},
		"a space":                                 {"https://app.example.com/c b", "space"},
		"a line break":                            {"https://app.example.com/cb\r\nx", "space"},
		"letters outside ASCII":                   {"https://аpp.example.com/cb", "ASCII"},
		"upper case host":                         {"https://APP.example.com/cb", "lower case"},
		"upper case scheme":                       {"HTTPS://app.example.com/cb", "lower case"},
		"a port beyond 65535":                     {"https://app.example.com:99999/cb", "port"},
		"Sec190 a comma in the host":              {"https://app.example.com,evil.example/cb", "letters of ASCII"},
		"Sec190 a semicolon in the host":          {"https://app.example.com;evil.example/cb", "letters of ASCII"},
		"Sec190 a dollar sign in the host":        {"https://app.example.com$evil.example/cb", "letters of ASCII"},
		"Sec190 an exclamation mark in the host":  {"https://app!.example.com/cb", "letters of ASCII"},
		"Sec190 an encoded host":                  {"https://app.example.com%2fevil.example/cb", "well-formed"},
		"Sec190 an underscore in the host":        {"https://my_app.example.com/cb", "letters of ASCII"},
		"Sec190 a hyphen at a label's end":        {"https://app-.example.com/cb", "letters of ASCII"},
		"Sec190 an empty label":                   {"https://app..example.com/cb", "letters of ASCII"},
		"Sec190 a dot at the end":                 {"https://app.example.com./cb", "letters of ASCII"},
		"Sec190 a label of 64":                    {"https://" + strings.Repeat("a", 64) + ".example/cb", "letters of ASCII"},
		"Sec190 a host of more than 253":          {"https://" + strings.Repeat("a.", 124) + "example/cb", "253"},
		"Sec190 IPv4 as one number":               {"https://2130706433/cb", "ends in a number"},
		"Sec190 IPv4 in hexadecimal":              {"https://0x7f.0x1/cb", "ends in a number"},
		"Sec190 IPv4 cut short":                   {"https://192.0.2/cb", "ends in a number"},
		"Sec190 IPv4 with a leading zero":         {"https://192.0.02.1/cb", "ends in a number"},
		"Sec190 IPv6 with zeros":                  {"https://[2001:0db8::1]/cb", "usual form"},
		"Sec190 IPv6 with a zone":                 {"https://[fe80::1%25eth0]/cb", "usual form"},
		"Sec190 a label that is no IDNA":          {"https://xn--a.example/cb", "IDNA"},
		"Sec191 a response parameter as a list":   {"https://app.example.com/cb?code[]=1", "(code[])"},
		"Sec191 encoded":                          {"https://app.example.com/cb?code%5B%5D=1", "(code[])"},
		"Sec191 its letters encoded":              {"https://app.example.com/cb?%63ode=1", "(code)"},
		"Sec191 with an index":                    {"https://app.example.com/cb?state[0]=1", "(state[0])"},
		"Sec191 in capitals":                      {"https://app.example.com/cb?Code=1&ISS=2", "(Code, ISS)"},
		"Sec191 with a dot":                       {"https://app.example.com/cb?code.x=1", "(code.x)"},
		"Sec191 with a dot for an underscore":     {"https://app.example.com/cb?error.description=1", "(error.description)"},
		"Sec191 with a converter":                 {"https://app.example.com/cb?code:list=1", "(code:list)"},
		"Sec191 in brackets":                      {"https://app.example.com/cb?[code]=1", "([code])"},
		"Sec191 with a space":                     {"https://app.example.com/cb?+code=1", "( code)"},
		"Sec191 cut off at a zero":                {"https://app.example.com/cb?code%00x=1", "(code"},
		"Sec191 behind a semicolon":               {"https://app.example.com/cb?x=1;code=2", "not well formed"},
		"an empty port":                           {"https://app.example.com:/cb", "port"},
		"no host":                                 {"https:/cb", "host"},
		"opaque https":                            {"https:app.example.com/cb", "host"},
		"longer than 512":                         {"https://app.example.com/" + strings.Repeat("a", 512), "512"},
		"an address that only looks like locally": {"http://127.0.0.1.evil.example/cb", "https"},
	}
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := loop.RedirectURI(c.uri).Validate()
			refusal, ok := errors.AsType[*loop.Error](err)
			if !ok || refusal.Code != loop.ValidationError || refusal.Field != "redirect_uris" {
				t.Fatalf("%q: got %v, want a validation_error about redirect_uris", c.uri, err)
			}
			if !strings.Contains(refusal.Description, c.rule) {
				t.Errorf("%q: the answer %q does not name the rule (%s)", c.uri, refusal.Description, c.rule)
			}
		})
	}
}

func TestRedirectURI_RegistrationNamesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	for uri, rules := range map[string][]string{
		"http://u:p@APP.example.com:99999/cb?code=1&iss=2#x": {"a fragment", "a user name", "lower case", "the port", "http is allowed on", "(code, iss)"},
		"https://*.example.com/c b#":                         {"a space", "wildcards", "a fragment"},
		"myapp://host/cb?state=1":                            {"this scheme", "(state)"},
		"https://app.example.com/*?x=%zz":                    {"wildcards", "query is not well formed"},
	} {
		refusal, ok := errors.AsType[*loop.Error](loop.RedirectURI(uri).Validate())
		if !ok {
			t.Errorf("%q is accepted", uri)
			continue
		}
		for _, rule := range rules {
			if !strings.Contains(refusal.Description, rule) {
				t.Errorf("%q: the answer does not name %q: %s", uri, rule, refusal.Description)
			}
		}
	}
}

func TestRedirectURI_Matching(t *testing.T) {
	t.Parallel()
	const app = "https://app.example.com/cb"
	// Each row is one of docs/threats.md: this one is registered, those are sent.
	foreign := map[string][]string{
		"Sec001 no normalisation":     {app + "/", "https://app.example.com/CB", "https://APP.example.com/cb", "HTTPS://app.example.com/cb"},
		"Sec002 query and fragment":   {app + "?x=1", app + "?", app + "#", app + "#code=evil", app + "?code=evil&state=x&iss=https://evil.example"},
		"Sec003 prefix and suffix":    {"https://app.example.com.evil.example/cb", "https://app.example.comevil.example/cb", "https://evil.example/app.example.com/cb"},
		"Sec004 user info":            {"https://app.example.com@evil.example/cb", "https://app.example.com:443@evil.example/cb", `https://evil.example\@app.example.com/cb`},
		"Sec005 several at signs":     {"https://a@b@app.example.com/cb", "https://app.example.com%40evil.example/cb"},
		"Sec006 path traversal":       {app + "/../evil", "https://app.example.com/cb/..;/evil", "https://app.example.com/cb%2f..%2fevil", "https://app.example.com//cb", "https://app.example.com/./cb"},
		"Sec007 port, dot and scheme": {"https://app.example.com:443/cb", "https://app.example.com:8443/cb", "https://app.example.com./cb", "http://app.example.com/cb"},
		"Sec008 incomplete":           {"https:/app.example.com/cb", "https:app.example.com/cb", "//app.example.com/cb", "/cb", "", "null"},
		"Sec009 control characters":   {`https://app.example.com\cb`, app + "%00", app + "%0d%0aSet-Cookie:x=1", app + "%09", " " + app, app + " "},
		"Sec010 homographs":           {"https://аpp.example.com/cb", "https://app。example.com/cb", "https://xn--pp-6kc.example.com/cb", "https://app.example.com/%63b"},
	}
	for name, sent := range foreign {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, uri := range sent {
				if loop.RedirectURI(app).Matches(loop.RedirectURI(uri)) {
					t.Errorf("%q passed for %q", uri, app)
				}
			}
		})
	}
	t.Run("Sec013 loopback: any port, nothing else", func(t *testing.T) {
		t.Parallel()
		registered := loop.RedirectURI("http://127.0.0.1/cb")
		for _, uri := range []string{"http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"} {
			if !registered.Matches(loop.RedirectURI(uri)) {
				t.Errorf("RFC 8252 §7.3: %q refused", uri)
			}
		}
		for _, uri := range []string{
			"http://127.0.0.1:9/cb?x=1", "http://127.0.0.1:99999/cb", "http://127.0.0.1:9@evil.example/cb", "http://127.0.0.1.evil.example/cb",
			"http://127.1/cb", "http://0x7f000001/cb", "http://2130706433/cb", "http://0.0.0.0/cb", "http://[::ffff:127.0.0.1]/cb",
			"http://localhost:9/cb", "https://127.0.0.1:9/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:0/cb", "http://127.0.0.1:+9/cb", "http://127.0.0.1:09/cb",
		} {
			if registered.Matches(loop.RedirectURI(uri)) {
				t.Errorf("%q passed for %q", uri, registered)
			}
		}
	})
	t.Run("RFC 8252 §7.3 any port on the IPv6 loopback", func(t *testing.T) {
		t.Parallel()
		if !loop.RedirectURI("http://[::1]:7/cb").Matches("http://[::1]:61234/cb") {
			t.Error("another port on [::1] was refused")
		}
	})
	t.Run("localhost matches exactly", func(t *testing.T) {
		t.Parallel()
		if loop.RedirectURI("http://localhost:5000/cb").Matches("http://localhost:5001/cb") {
			t.Error("another port on localhost passed")
		}
	})
}

func TestSwappedLoopback_NamesTheCommonestSlip(t *testing.T) {
	t.Parallel()
	registered := []loop.RedirectURI{"https://app.example.com/cb", "http://localhost:5000/callback"}
	for sent, want := range map[loop.RedirectURI]loop.RedirectURI{
		"http://127.0.0.1:5000/callback": "http://localhost:5000/callback",
		"http://[::1]:5000/callback":     "http://localhost:5000/callback",
		"http://127.0.0.1:5001/callback": "",
		"http://127.0.0.1:5000/other":    "",
		"https://evil.example/callback":  "",
		"http://localhost:5000/callback": "",
	} {
		got, ok := loop.SwappedLoopback(registered, sent)
		if got != want || ok != (want != "") {
			t.Errorf("%s: got %q, want %q", sent, got, want)
		}
	}
}

func FuzzRedirectURI(f *testing.F) {
	for _, seed := range []string{"https://app.example.com/cb", "http://127.0.0.1:80/cb?x=1", "com.example.app:/cb", "http://[::1]/", "javascript:alert(1)"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, registered, sent string) {
		u := loop.RedirectURI(registered)
		if u.Validate() != nil {
			return
		}
		if !u.Matches(u) {
			t.Errorf("%q does not match itself", registered)
		}
		// Whatever matches a valid registration is as safe as it: same host, same kind.
		if v := loop.RedirectURI(sent); u.Matches(v) && (v.Validate() != nil || v.Host() != u.Host() || v.Loopback() != u.Loopback()) {
			t.Errorf("%q matches %q but is not as safe", sent, registered)
		}
	})
}
