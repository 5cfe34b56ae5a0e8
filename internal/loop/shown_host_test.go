package loop_test

import (
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

// What an attacker chooses is the name; what the member reads has to be of no use for
// that.
func TestSec360_AHostInAnotherScriptIsShownAsItIs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		uri  loop.RedirectURI
		want string
	}{
		"ASCII":                             {"https://app.example.com/cb", "app.example.com"},
		"with a port, which says nothing":   {"https://app.example.com:8443/cb", "app.example.com"},
		"loopback":                          {"http://127.0.0.1/cb", "127.0.0.1"},
		"IPv6":                              {"http://[::1]/cb", "::1"},
		"a scheme of an app's own":          {"com.example.app:/cb", "com.example.app"},
		"Latin with an accent":              {"https://xn--bcher-kva.example/cb", "bücher.example (xn--bcher-kva.example)"},
		"in capitals":                       {"https://XN--BCHER-KVA.example/cb", "bücher.example (XN--BCHER-KVA.example)"},
		"Japanese, three scripts":           {"https://xn--u9j4hmbj0955cv2ya.example/cb", "テストの漢字.example (xn--u9j4hmbj0955cv2ya.example)"},
		"Greek":                             {"https://xn--jxalpdlp.example/cb", "δοκιμή.example (xn--jxalpdlp.example)"},
		"Cyrillic, with letters of its own": {"https://xn--h1alffa9f.example/cb", "россия.example (xn--h1alffa9f.example)"},
		"Latin with one Cyrillic letter":    {"https://xn--pp-6kc.example.com/cb", "xn--pp-6kc.example.com"},
		"Cyrillic that reads as Latin":      {"https://xn--80ak6aa92e.com/cb", "xn--80ak6aa92e.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.uri.ShownHost(); got != test.want {
				t.Errorf("%s is shown as %q, not %q", test.uri, got, test.want)
			}
		})
	}
}
