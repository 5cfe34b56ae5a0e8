package connect

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// loud is a text that must not be seen anywhere.
const loud = "hush-hush-hush"

// secretive is a value of every exported type, with secrets wherever it has some.
func secretive(t *testing.T) map[string]any {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := NewKey(private, "1")
	if err != nil {
		t.Fatal(err)
	}
	ring := NewKeyRing([]byte(loud + strings.Repeat("x", KeyLength-len(loud))))
	config := Config{
		Issuer: "https://identity.example.com", API: "https://clinical.example.com", ClientID: "client_1", ClientSecret: loud,
		RedirectURL: "https://app.example.com/callback", Keys: ring, ProofKey: key,
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	tokens := Tokens{Access: loud, Refresh: loud, Expiry: time.Now().Add(time.Hour), Scopes: []string{"openid"}}
	memory := NewMemoryStore()
	if err := memory.Save(t.Context(), "user_1", 0, tokens); err != nil {
		t.Fatal(err)
	}
	config.Store = memory
	files, err := NewFileStore(t.TempDir(), ring)
	if err != nil {
		t.Fatal(err)
	}
	member := client.For("user_1")
	return map[string]any{
		"Secret": Secret(loud), "Tokens": tokens, "Stored": Stored{tokens, 1}, "Config": config, "Client": client, "Key": key, "KeyRing": ring,
		"Flow": Flow{loud, loud, loud, "/"}, "Login": Login{"user_1", tokens, "/"}, "MemoryStore": memory, "FileStore": files,
		"SQLStore": &SQLStore{sealer: sealer{ring, "x"}}, "Member": member, "Biomarkers": member.Biomarkers, "TokenSource": client.TokenSource(t.Context(), "user_1"),
		"http.Client": member.HTTP(), "http.RoundTripper": member.HTTP().Transport, "proofs": client.proofs, "sealer": client.cookies,
		"Error": &Error{Code: "invalid_grant"},
	}
}

// numbers is how fmt prints the bytes of a text.
func numbers(text string) string {
	var all []string
	for _, b := range []byte(text) {
		all = append(all, fmt.Sprint(b))
	}
	return strings.Join(all, " ")
}

// However a value is printed or logged, by itself or within another, no secret is seen.
func TestValues_ShowNoSecret(t *testing.T) {
	t.Parallel()
	for name, value := range secretive(t) {
		var out bytes.Buffer
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			_, _ = fmt.Fprintf(&out, format+"\n", value)
			_, _ = fmt.Fprintf(&out, format+"\n", struct{ Inner any }{value})
			_, _ = fmt.Fprintf(&out, format+"\n", []any{value})
			_, _ = fmt.Fprintf(&out, format+"\n", map[string]any{"v": value})
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", value, "in", struct{ Inner any }{value})
		for what, text := range map[string]string{"the text": loud, "its hexadecimal": fmt.Sprintf("%x", loud), "its bytes": numbers(loud)} {
			if strings.Contains(out.String(), text) {
				t.Errorf("%s shows %s", name, what)
			}
		}
	}
}

func TestConfig_EveryFaultIsTold(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Issuer: "http://identity.example.com", RedirectURL: "nowhere", AfterLogin: "//evil.example"})
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	for _, says := range []string{"API is missing", "ClientID is missing", "Issuer", "must be https", `RedirectURL "nowhere" is no address`, "AfterLogin"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("it does not say %q: %v", says, err)
		}
	}
}

func TestLocalPath_LeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/": "/", "/results?page=2": "/results?page=2", "": "", "results": "", "//evil.example": "", "/\\evil.example": "", "https://evil.example/": "",
		"/\tevil": "", "/a\nb": "", "javascript:alert(1)": "", "/%2f/evil.example": "/%2f/evil.example",
	} {
		if got := localPath(text); got != want {
			t.Errorf("%q leads to %q, want %q", text, got, want)
		}
	}
}

func TestKeyRing_RotatesAndOpensNothingElse(t *testing.T) {
	t.Parallel()
	old, next := NewKeyBytes(), NewKeyBytes()
	before := sealer{NewKeyRing(old), "tokens"}
	sealed := before.seal([]byte("text"), "user_1")
	after := sealer{NewKeyRing(next, old), "tokens"}
	if plaintext, newest, err := after.open(sealed, "user_1"); err != nil || string(plaintext) != "text" || newest {
		t.Errorf("with the new key in front: %q, %v, %v", plaintext, newest, err)
	}
	if _, newest, err := after.open(after.seal([]byte("text"), "user_1"), "user_1"); err != nil || !newest {
		t.Errorf("sealed anew: %v, %v", newest, err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1]++
	for name, c := range map[string]struct {
		sealer  sealer
		sealed  []byte
		subject string
	}{
		"another member's":    {before, sealed, "user_2"},
		"for another purpose": {sealer{before.keys, "cookies"}, sealed, "user_1"},
		"without the key":     {sealer{NewKeyRing(next), "tokens"}, sealed, "user_1"},
		"altered":             {before, altered, "user_1"},
		"cut off":             {before, sealed[:10], "user_1"},
	} {
		if _, _, err := c.sealer.open(c.sealed, c.subject); !errors.Is(err, errNotSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMayRepeat_NeverAPostWithoutAKey(t *testing.T) {
	t.Parallel()
	request := func(method, key string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, "https://x.example/", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		return r
	}
	unavailable := &http.Response{StatusCode: http.StatusServiceUnavailable}
	for name, c := range map[string]struct {
		r    *http.Request
		want bool
	}{
		"GET": {request(http.MethodGet, ""), true}, "PUT": {request(http.MethodPut, ""), true}, "DELETE": {request(http.MethodDelete, ""), true},
		"POST": {request(http.MethodPost, ""), false}, "PATCH": {request(http.MethodPatch, ""), false}, "POST with a key": {request(http.MethodPost, "1"), true},
	} {
		if got := mayRepeat(c.r, unavailable); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	once := request(http.MethodPut, "")
	once.GetBody = nil
	if mayRepeat(once, unavailable) {
		t.Error("a body that can be read once is sent twice")
	}
}

// stub answers without a network.
type stub struct{}

// RoundTrip says that all is well.
func (stub) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

// benchmarked are a bare client, and a member's.
func benchmarked(b *testing.B) map[string]*http.Client {
	b.Helper()
	bare := &http.Client{Transport: stub{}}
	client, err := New(Config{
		Issuer: "https://identity.example.com", API: "https://clinical.example.com", ClientID: "client_1", ClientSecret: loud,
		RedirectURL: "https://app.example.com/callback", HTTP: bare,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := client.config.Store.Save(b.Context(), "user_1", 0, Tokens{Access: loud, Expiry: time.Now().Add(time.Hour)}); err != nil {
		b.Fatal(err)
	}
	return map[string]*http.Client{"bare": bare, "member": client.For("user_1").HTTP()}
}
