package fetch

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestCheckURL_TakesPublicNamesOverHTTPS(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	for _, text := range []string{
		"https://app.example.com", "https://app.example.com/", page, "https://app.example.com:443/x", "https://app.example.com:8443/x?y=z",
		"https://xn--bcher-kva.example/", "https://a.b.c.d.example.museum/", "https://1.2.3.4.example/", "https://0x7f.example/",
		"https://app.example.com/a@b", "https://app.example.com/%0d%0aX:1", "https://localhost.example.com/",
	} {
		if err := c.CheckURL(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCheckURL_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	for name, test := range map[string]struct{ text, says string }{
		"nothing":                      {"", "empty"},
		"513 characters":               {"https://app.example.com/" + strings.Repeat("a", 489), "512"},
		"plain http":                   {"http://app.example.com/", "https://"},
		"another scheme":               {"gopher://app.example.com/", "https://"},
		"a file":                       {"file:///etc/passwd", "https://"},
		"no scheme":                    {"app.example.com", "https://"},
		"no authority":                 {"https:app.example.com", "https://"},
		"one slash":                    {"https:/app.example.com/", "https://"},
		"scheme in capitals":           {"HTTPS://app.example.com/", "https://"},
		"no host":                      {"https:///keys", "public name"},
		"host in capitals":             {"https://App.example.com/", "lower case"},
		"user name":                    {"https://user@app.example.com/", "user name"},
		"user name and password":       {"https://user:pass@app.example.com/", "user name"},
		"empty user name":              {"https://@app.example.com/", "user name"},
		"a fragment":                   {"https://app.example.com/#a", "fragment"},
		"an empty fragment":            {"https://app.example.com/#", "fragment"},
		"a space":                      {"https://app.example.com/a b", "space"},
		"a line feed":                  {"https://app.example.com/\r\nX-Evil: 1", "control character"},
		"a backslash":                  {`https://app.example.com\@evil.example/`, "backslash"},
		"letters outside ASCII":        {"https://bücher.example/", "ASCII"},
		"an escape in the host":        {"https://app%2eexample.com/", "well-formed"},
		"a label that ends in a dash":  {"https://app-.example.com/", "public name"},
		"an underscore":                {"https://my_app.example.com/", "public name"},
		"an empty label":               {"https://app..example.com/", "public name"},
		"a label of 64 letters":        {"https://" + strings.Repeat("a", 64) + ".example/", "public name"},
		"a name of 254 letters":        {"https://" + strings.Repeat("a.", 123) + "examples/", "public name"},
		"a name of the local network":  {"https://printer.local/", "private network"},
		"a name of an inner network":   {"https://metadata.google.internal/", "private network"},
		"a name beneath localhost":     {"https://app.localhost/", "private network"},
		"a name for addresses":         {"https://1.0.0.127.in-addr.arpa/", "private network"},
		"a single word":                {"https://intranet/", "public name"},
		"a port without a number":      {"https://app.example.com:/", "port"},
		"a port that is a word":        {"https://app.example.com:https/", "well-formed"},
		"a port with a leading zero":   {"https://app.example.com:0443/", "port"},
		"a port beyond the last":       {"https://app.example.com:65979/", "port"},
		"the port of plain http":       {"https://app.example.com:80/", "port"},
		"an IPv6 address in no braces": {"https://::1/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.CheckURL(test.text), loop.ValidationError, test.says)
		})
	}
}

func TestSec109_AddressesInEverySpelling(t *testing.T) {
	t.Parallel()
	o, c := newOutside(t, keys)
	for _, host := range []string{
		"2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost.", "LOCALHOST", "localhost", "１２７.０.０.１", "①②⑦.⓪.⓪.①",
		"user@127.0.0.1", "evil.example#@127.0.0.1", "127.0.0.1", "127.0.0.1.", "127.0.1", "0x7f000001", "0X7F000001", "017700000001",
		"0x7f.0x0.0x0.0x1", "0177.0x0.0.1", "127.0.0.01", "0", "0.0.0.0", "00.00.00.00", "4294967295", "3232235777", "0xa9fea9fe", "169.254.43518",
		"256.256.256.256", "127。0。0。1", "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "127.0.0.1%00.example.com", "127.0.0.1%23.example.com",
		"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1%25eth0]", "[::1%25lo]",
		"[app.example.com]", "[v1.app.example.com]", "[2606:4700:4700::1111]", "8.8.8.8", "134744072",
		"evil.example@127.0.0.1", "evil.example:443@127.0.0.1", `evil.example\@127.0.0.1`, `127.0.0.1\.example.com`, "127.0.0.1:443:443",
		"app.example.com.", "app.example.com..", ".app.example.com", "lοcalhost", "ⓛocalhost", "localhost\u00ad", "local\u200bhost", "app.0x7f", "app.1", "app.example.0177",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{"http://" + host + "/", "https://" + host + "/", "https://" + host + ":443/", "https://" + host} {
				refused(t, c.CheckURL(text), loop.ValidationError, "This URL is refused")
				_, err := c.Get(t.Context(), text, "application/json")
				refused(t, err, loop.ValidationError, "This URL is refused")
				_, err = c.Post(t.Context(), text, "application/json", []byte("{}"))
				refused(t, err, loop.ValidationError, "This URL is refused")
			}
		})
	}
	t.Cleanup(func() {
		if len(o.asked) > 0 || len(o.dialled) > 0 {
			t.Errorf("asked for %v, dialled %v", o.asked, o.dialled)
		}
	})
}

func TestSec113_PortsOfOtherServices(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	for _, port := range []string{"0", "1", "21", "22", "23", "25", "53", "80", "110", "143", "389", "445", "465", "587", "993", "1024", "2375", "3306", "5432", "6379", "6443", "8080", "9200", "10250", "11211", "27017", "65535", "65536", "0443", "+443", "-1"} {
		t.Run(port, func(t *testing.T) {
			t.Parallel()
			refused(t, c.CheckURL("https://app.example.com:"+port+"/"), loop.ValidationError, "")
		})
	}
}

func TestSec113_OwnHosts(t *testing.T) {
	t.Parallel()
	c := New(Config{OwnHosts: []string{"identity.example.com", "Clinical.example.com", "localhost:4000"}, AllowedHosts: []string{"localhost"}})
	for _, text := range []string{"https://identity.example.com/", "https://identity.example.com:443/", "https://identity.example.com:8443/", "https://clinical.example.com/x", "http://localhost:4000/", "https://localhost:4000/"} {
		refused(t, c.CheckURL(text), loop.ValidationError, "own")
	}
	for _, text := range []string{"https://app.example.com/", "http://localhost:5000/"} {
		if err := c.CheckURL(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAllowedHosts_OpenThemselvesAlone(t *testing.T) {
	t.Parallel()
	c := New(Config{AllowedHosts: []string{"localhost", "127.0.0.1:5000", "[::1]:5000", "app.internal:8080"}})
	for _, text := range []string{"http://localhost/", "http://localhost:5000/x", "https://localhost:1/", "http://127.0.0.1:5000/", "http://[::1]:5000/", "http://app.internal:8080/"} {
		if err := c.CheckURL(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"http://localhost./", "http://LOCALHOST/", "http://localhost:/", "http://localhost:0/", "http://localhost:65536/", "http://localhost:99999999999999999999/",
		"ftp://localhost/", "http://user@localhost/", "http://localhost/#a", "http://app.localhost/", "http://localhost.example.com/", "http://localhost@example.com/",
		"http://127.0.0.1/", "http://127.0.0.1:5001/", "http://127.1:5000/", "http://[::1]/", "http://[0::1]:5000/", "http://app.internal/", "http://app.internal:8081/",
	} {
		refused(t, c.CheckURL(text), loop.ValidationError, "")
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{page, "https://app.example.com:8443/?a=b", "https://127.1/", "https://0x7f.1/", "https://[::1]/", "https://u@app.example.com/", "https://localhost./", "https://１２７.0.0.1/", "http://localhost:5000/"} {
		f.Add(seed)
	}
	c := New(Config{})
	f.Fuzz(func(t *testing.T, text string) {
		if err := c.CheckURL(text); err != nil {
			refused(t, err, loop.ValidationError, "This URL is refused")
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q: %v, %v", text, u, err)
		}
		// What stands between the slashes, read without a parser, is a name with at
		// most a port: so every parser reads the same one.
		host, _, _ := strings.Cut(strings.TrimPrefix(text, "https://"), "/")
		host, _, _ = strings.Cut(host, "?")
		host = strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":8443")
		if host != u.Hostname() || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.Contains(host, ".") {
			t.Fatalf("%q has the host %q", text, host)
		}
		if last := host[strings.LastIndex(host, ".")+1:]; last == "" || last[0] < 'a' || last[0] > 'z' {
			t.Errorf("%q ends in a number or a dot", host)
		}
		if _, err := netip.ParseAddr(host); err == nil {
			t.Errorf("%q is an address", host)
		}
	})
}
