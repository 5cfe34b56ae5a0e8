package dev

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// ask asks an inbox for a page, by a host's name.
func ask(t *testing.T, i *Inbox, host, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	i.Handler().ServeHTTP(w, r)
	return w
}

func put(t *testing.T, i *Inbox, m mail.Mail) {
	t.Helper()
	if err := i.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestInbox_ShowsWhatWouldHaveBeenSent(t *testing.T) {
	t.Parallel()
	i := NewInbox(loop.Machine{})
	if page := ask(t, i, "localhost:4004", "/"); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "none yet") {
		t.Errorf("an empty one: %d %s", page.Code, page.Body)
	}
	put(t, i, mail.Mail{ID: "first", To: "ada@members.example", Language: "de", Subject: "Grüße <b>", Text: "Guten Tag <b>", HTML: "<p>schön</p>", Link: "http://localhost:4000/set-password?link=x"})
	for n := range maxMails - 1 {
		put(t, i, mail.Mail{ID: fmt.Sprint(n), Subject: fmt.Sprint("number ", n)})
	}
	put(t, i, mail.Mail{ID: "0", Subject: "number 0, which came again"})
	for path, wants := range map[string][]string{
		"/":                 {"Grüße &lt;b&gt;", "ada@members.example", "number 0<", `href="/mails/first"`},
		"/mails/first":      {`lang="de"`, "Guten Tag &lt;b&gt;", `href="http://localhost:4000/set-password?link=x"`},
		"/mails/first/html": {"<p>schön</p>"},
	} {
		page := ask(t, i, "127.0.0.1:4004", path)
		for _, want := range wants {
			if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), want) {
				t.Errorf("%s: %d, without %s", path, page.Code, want)
			}
		}
		if policy := page.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s may %s", path, policy)
		}
	}
	put(t, i, mail.Mail{ID: "newest"})
	for _, path := range []string{"/mails/first", "/mails/first/html"} {
		if page := ask(t, i, "[::1]:4004", path); page.Code != http.StatusNotFound {
			t.Errorf("%s, the oldest of %d: %d", path, maxMails+1, page.Code)
		}
	}
}

func TestSec256_TheInboxAnswersAtThisMachinesNamesAlone(t *testing.T) {
	t.Parallel()
	i := NewInbox(loop.Machine{})
	put(t, i, mail.Mail{ID: "first", Subject: "a link that opens an account"})
	for _, host := range []string{"evil.example", "localhost.evil.example:4004", "127.0.0.1.evil.example", "192.0.2.1:4004", ""} {
		if page := ask(t, i, host, "/"); page.Code != http.StatusMisdirectedRequest || strings.Contains(page.Body.String(), "opens an account") {
			t.Errorf("at %q: %d", host, page.Code)
		}
	}
}
