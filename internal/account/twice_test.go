package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestForms_SignUpSentTwiceMakesOneAccountAndBothLeadOn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	page := b.Get(platformtest.Identity + "/signup")
	form := url.Values{"csrf": {page.Field("csrf")}, "name": {"Bob"}, "email": {"bob@people.example"}, "password": {platformtest.Password}}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if r := b.Post(platformtest.Identity+"/signup", form); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/" {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
		})
	}
	all.Wait()
	if count := p.Count(t, "identity", "members"); count != 1 {
		t.Errorf("%d accounts", count)
	}
	if home := b.Get(platformtest.Identity + "/"); home.StatusCode != http.StatusOK || !strings.Contains(home.Text, "Bob") {
		t.Errorf("nobody is signed in: %d", home.StatusCode)
	}
	for name, other := range map[string][2]string{"another name": {"Rob", platformtest.Password}, "another password": {"Bob", "x " + platformtest.Password}} {
		form.Set("name", other[0])
		form.Set("password", other[1])
		if r := p.NewBrowser(t).Post(platformtest.Identity+"/signup", form); r.StatusCode == http.StatusSeeOther {
			t.Errorf("%s: another browser's form is taken", name)
		}
		if r := b.Post(platformtest.Identity+"/signup", form); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "cannot be used") {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
}

func TestForms_SignInAndConsentSentTwiceLeadOn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	page := b.Follow(b.Authorize(app.Request()))
	var consent *platformtest.Response
	for range 2 {
		if consent = b.SignIn(page, ada); !strings.Contains(consent.Text, `id="allow"`) {
			t.Fatalf("%d %s", consent.StatusCode, consent.Text)
		}
	}
	if count := p.Count(t, "identity", "sessions"); count != 1 {
		t.Errorf("%d sessions", count)
	}
	for i := range 2 {
		if answer := b.Decide(consent, "allow", "profile").Redirected(t).Query(); !answer.Has("code") {
			t.Errorf("answer %d is %v", i+1, answer)
		}
	}
	if count := p.Count(t, "identity", "audit_records WHERE event IN ('grant.given', 'grant.changed')"); count != 1 {
		t.Errorf("%d grants are on record", count)
	}
}
