package test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// secrets collects the values of a run that no log may hold, as the test sees
// them go by: tokens, codes, secrets, verifiers, cookies, e-mail addresses and
// health values.
type secrets struct {
	mu       sync.Mutex
	kinds    map[string]string // by value
	onScreen map[string]bool   // `loop dev` shows these to the developer, on purpose, on standard output
}

func newSecrets() *secrets {
	return &secrets{kinds: make(map[string]string), onScreen: make(map[string]bool)}
}

// saw notes a value that no log may hold.
func (s *secrets) saw(kind, value string) {
	if len(value) < 4 {
		return // too short to distinguish from anything else
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[value] = kind
}

// sawOnScreen notes a value that no log may hold, but standard output may.
func (s *secrets) sawOnScreen(kind, value string) {
	s.saw(kind, value)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onScreen[value] = true
}

// sensitive are the parameters whose values are kept out of the logs, wherever
// they stand: in a query, a form, or a JSON answer.
var sensitive = map[string]string{
	"code": "authorization code", "state": "state", "nonce": "nonce",
	"code_challenge": "code challenge", "code_verifier": "code verifier",
	"access_token": "access token", "refresh_token": "refresh token", "id_token": "ID token",
	"client_secret": "client secret", "password": "password", "email": "e-mail address",
	"csrf": "CSRF token", "ticket": "consent ticket", "continuation": "continuation",
}

// sawValues notes the sensitive ones among a query's or form's values.
func (s *secrets) sawValues(values url.Values) {
	for name, kind := range sensitive {
		for _, value := range values[name] {
			s.saw(kind, value)
		}
	}
}

// sawURL notes what is sensitive in an address.
func (s *secrets) sawURL(address string) {
	if parsed, err := url.Parse(address); err == nil {
		s.sawValues(parsed.Query())
	}
}

// sawSetCookie notes the value of a Set-Cookie line.
func (s *secrets) sawSetCookie(line string) {
	if cookie, err := http.ParseSetCookie(line); err == nil {
		s.saw("cookie "+cookie.Name, cookie.Value)
	}
}

// sawJSON notes what is sensitive in a JSON answer, lab results included.
func (s *secrets) sawJSON(body []byte) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return
	}
	for name, kind := range sensitive {
		var value string
		if json.Unmarshal(members[name], &value) == nil {
			s.saw(kind, value)
		}
	}
	for _, result := range parseBiomarkers(body) {
		s.saw("name of a lab result", result.Name)
		s.saw("code of a lab result", result.Code)
		s.saw("lab result", result.Value.String())
	}
}

// searchLogs fails the test for every value that was seen and stands in a log of
// the platform's servers.
func (s *secrets) searchLogs(t *testing.T, p *platform) {
	t.Helper()
	for _, server := range p.logs {
		s.search(t, "the log", server.Stderr.String(), nil)
		s.search(t, "standard output", server.Stdout.String(), s.onScreen)
	}
}

func (s *secrets) search(t *testing.T, where, text string, allowed map[string]bool) {
	t.Helper()
	for value, kind := range s.found(text, allowed) {
		t.Errorf("%s holds the %s %q:\n%s", where, kind, value, lineWith(text, value))
	}
}

// found gives the values that stand in a text, and what each is. What is allowed
// there is passed over whole: a password of four words may hold a biomarker's code.
func (s *secrets) found(text string, allowed map[string]bool) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = withoutMeasures(text)
	for value := range allowed {
		text = strings.ReplaceAll(text, value, " ") // what stood on either side stays apart
	}
	found := make(map[string]string)
	for value, kind := range s.kinds {
		if containsWord(text, value) {
			found[value] = kind
		}
		if escaped := url.QueryEscape(value); containsWord(text, escaped) {
			found[escaped] = kind
		}
	}
	return found
}

// measures are the times and durations of a log line, whose digits may happen
// to be those of a lab result.
var measures = regexp.MustCompile(`"?(time|duration|duration_ms|took|elapsed|bytes|port)"?[=:]\s*("[^"]*"|[^\s,}]*)`)

func withoutMeasures(text string) string { return measures.ReplaceAllString(text, "") }

// containsWord finds the value where it does not stand within a longer word or
// number.
func containsWord(text, value string) bool {
	for rest := text; ; {
		at := strings.Index(rest, value)
		if at < 0 {
			return false
		}
		end := at + len(value)
		if (at == 0 || !wordByte(rest[at-1])) && (end == len(rest) || !wordByte(rest[end])) {
			return true
		}
		rest = rest[at+1:]
	}
}

func wordByte(b byte) bool {
	return b == '.' || b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func lineWith(text, value string) string {
	lines := strings.Split(text, "\n")
	return lines[slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, value) })]
}

// Promise: no log holds a secret or a health value; what `loop dev` shows on
// purpose is no leak of a shorter value within it.
func TestTheSearchOfLogsTellsALeakFromAPartOfWhatIsShown(t *testing.T) {
	s := newSecrets()
	s.saw("code of a lab result", "iron")
	s.sawOnScreen("password", "iron-elder-cart-volcano")
	s.sawOnScreen("e-mail address", "alan+1@members.example")
	for _, c := range []struct {
		text    string
		allowed map[string]bool
		leaks   int
	}{
		{"member alan+1@members.example iron-elder-cart-volcano", s.onScreen, 0},
		{"member alan+1@members.example iron-elder-cart-volcano; iron 12.5", s.onScreen, 1},
		{"password=iron-elder-cart-volcano", nil, 2},
		{"login_hint=alan%2B1%40members.example took=iron", nil, 1},
		{"environment", nil, 0},
	} {
		if leaks := s.found(c.text, c.allowed); len(leaks) != c.leaks {
			t.Errorf("%q: found %v, want %d", c.text, leaks, c.leaks)
		}
	}
}
