package platform_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// nowhere takes mails and forgets them.
type nowhere struct{}

func (nowhere) Send(context.Context, mail.Mail) error { return nil }

func TestSec264_ARequestForAMailRunsTheSameStatementsForAnUnknownAddress(t *testing.T) {
	p := platformtest.NewWith(t, func(c *platform.Config) { c.Mail, c.SignUpsPerHour = nowhere{}, 1000 })
	ada := p.AddMember(t, "Ada")
	for path, c := range map[string]struct {
		fields url.Values
		want   int
	}{
		"/forgot-password": {nil, http.StatusSeeOther},
		"/signup":          {url.Values{"name": {"Ada"}, "password": {"eleven purple bicycles"}}, http.StatusSeeOther},
		"/signin":          {url.Values{"password": {"a wrong guess"}}, http.StatusBadRequest},
	} {
		b := p.NewBrowser(t)
		page := b.Get(platformtest.Identity + "/signin?another=1")
		ask := func(email string) uint64 {
			form := url.Values{"csrf": {page.Field("csrf")}, "email": {email}}
			for name, values := range c.fields {
				form[name] = values
			}
			return statements(t, p, func() {
				p.World.Advance(10 * time.Minute) // so that no limit answers in its place
				if r := b.Post(platformtest.Identity+path, form); r.StatusCode != c.want {
					t.Errorf("%s: %d %s", path, r.StatusCode, r.Text)
				}
			})
		}
		if known, unknown := ask(string(ada.Email)), ask("nobody@members.example"); known != unknown || known == 0 {
			t.Errorf("%s runs %d statements for an address with an account, and %d for one without", path, known, unknown)
		}
	}
}
