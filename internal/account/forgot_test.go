package account_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/mail/mailtest"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// mailing is a platform that sends mail to a server of its own.
type mailing struct {
	*platformtest.Platform
	server *mailtest.Server
}

func newMailing(t *testing.T) *mailing {
	t.Helper()
	server := mailtest.Start(t, mail.Plain)
	return &mailing{platformtest.NewWith(t, func(c *platform.Config) { c.Mail = &server.SMTP }), server}
}

// deliver has every mail that is due sent.
func (m *mailing) deliver(t *testing.T) {
	t.Helper()
	if err := m.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// forgot asks for a link to reset a password, and fails the test where the answer is
// another than everybody's.
func (m *mailing) forgot(t *testing.T, b *platformtest.Browser, email string) {
	t.Helper()
	page := b.Get(platformtest.Identity + "/forgot-password")
	r := b.Follow(b.Post(platformtest.Identity+"/forgot-password", url.Values{"csrf": {page.Field("csrf")}, "email": {email}}))
	if r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "Look at your mail") {
		t.Fatalf("asking for a link: %d %s", r.StatusCode, r.Text)
	}
}

// hasMail reports whether a mail with such a subject went to an address.
func (m *mailing) hasMail(to loop.Email, subject string) bool {
	return slices.ContainsFunc(m.server.Received(to), func(r mailtest.Received) bool { return strings.Contains(r.Subject, subject) })
}

var linkInMail = regexp.MustCompile(`https://identity\.platform\.test/[^\s"<>]+`)

// linkTo gives the one link of the one mail to an address.
func (m *mailing) linkTo(t *testing.T, email loop.Email) string {
	t.Helper()
	m.deliver(t)
	links := linkInMail.FindAllString(m.server.Only(email).Text, -1)
	if len(links) != 1 {
		t.Fatalf("the mail has the links %q", links)
	}
	return links[0]
}

// setPassword sets a new password behind a link, as a person does who looks at the
// page first.
func setPassword(b *platformtest.Browser, link, password string) *platformtest.Response {
	page := b.Get(link)
	return b.Post(platformtest.Identity+"/set-password", url.Values{
		"csrf": {page.Field("csrf")}, "link": {page.Field("link")}, "confirmed": {page.Field("confirmed")}, "password": {password},
	})
}

const newPassword = "eleven purple bicycles"

func TestReset_ByMailSetsANewPasswordAndEndsWhatWasSignedIn(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada, alan := m.AddMember(t, "Ada"), m.AddMember(t, "Alan")
	signedIn, other, b := m.SignedIn(t, ada), m.SignedIn(t, alan), m.NewBrowser(t)
	m.forgot(t, b, string(ada.Email))
	link := m.linkTo(t, ada.Email)
	if r := setPassword(b, link, "short"); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, `id="fault"`) {
		t.Errorf("a password of five: %d", r.StatusCode)
	}
	if r := b.Follow(setPassword(b, link, newPassword)); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "Your new password is set") {
		t.Fatalf("a good one: %d %s", r.StatusCode, r.Text)
	}
	for name, c := range map[string]struct {
		b    *platformtest.Browser
		want int
	}{"her session": {signedIn, http.StatusSeeOther}, "the browser with the link": {b, http.StatusSeeOther}, "another's session": {other, http.StatusOK}} {
		if r := c.b.Get(platformtest.Identity + "/account"); r.StatusCode != c.want {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	for password, want := range map[string]int{platformtest.Password: http.StatusBadRequest, newPassword: http.StatusSeeOther} {
		if r := signIn(m.NewBrowser(t), string(ada.Email), password); r.StatusCode != want {
			t.Errorf("sign-in with %q: %d", password, r.StatusCode)
		}
	}
	if r := signIn(m.NewBrowser(t), string(alan.Email), platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the other member's sign-in: %d", r.StatusCode)
	}
	m.deliver(t)
	if !m.hasMail(ada.Email, "password has changed") || !m.hasMail(ada.Email, "New sign-in") {
		t.Error("the member does not hear of the new password, or of the sign-in with another browser")
	}
}

func TestSec263_Reset_MakesTheBrowsersThatWereKnownStrangersAgain(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada, b := m.AddMember(t, "Ada"), m.NewBrowser(t)
	for range 2 { // the second time it is known
		signIn(b, string(ada.Email), platformtest.Password)
		m.deliver(t)
		if got := len(m.server.Received(ada.Email)); got != 1 {
			t.Fatalf("%d notices of a new browser", got)
		}
	}
	m.server.Empty()
	m.forgot(t, b, string(ada.Email))
	link := m.linkTo(t, ada.Email)
	m.World.Advance(time.Second)
	setPassword(b, link, newPassword)
	m.server.Empty()
	signIn(b, string(ada.Email), newPassword)
	m.deliver(t)
	if !m.hasMail(ada.Email, "New sign-in") {
		t.Error("a browser from before the reset is known")
	}
}

func TestReset_LeadsBackToTheAppThatWaits(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	app, ada, b := m.AddApp(t, nil), m.AddMember(t, "Ada"), m.NewBrowser(t)
	page := b.Follow(b.Authorize(app.Request()))
	continues := page.Field("continue")
	page = b.Get(platformtest.Identity + "/forgot-password?continue=" + continues)
	b.Post(platformtest.Identity+"/forgot-password", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "email": {string(ada.Email)}})
	done := b.Follow(setPassword(b, m.linkTo(t, ada.Email), newPassword))
	if !strings.Contains(done.Text, "/signin?continue=") {
		t.Fatalf("the request of the app is gone: %s", done.Text)
	}
	page = b.Get(platformtest.Identity + "/signin?continue=" + continues)
	r := b.Follow(b.Post(platformtest.Identity+"/signin", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "email": {string(ada.Email)}, "password": {newPassword}}))
	if !strings.Contains(r.Text, `id="allow"`) {
		t.Errorf("it does not go on to consent: %d", r.StatusCode)
	}
}

func TestSec252_Reset_ALinkWorksOnceAndForHalfAnHour(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada, b := m.AddMember(t, "Ada"), m.NewBrowser(t)
	m.forgot(t, b, string(ada.Email))
	first := m.linkTo(t, ada.Email)
	m.server.Empty()
	m.forgot(t, b, string(ada.Email))
	second := m.linkTo(t, ada.Email)
	if r := setPassword(b, first, newPassword); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the first use: %d", r.StatusCode)
	}
	for name, c := range map[string]struct{ link, says string }{
		"a second use":                      {first, "was used"},
		"another link from before":          {second, "no more"},
		"a link that was copied in part":    {first[:len(first)-3], "no more"},
		"one that was made up":              {platformtest.Identity + "/set-password?link=lph_ml_AAAA", "no more"},
		"none":                              {platformtest.Identity + "/set-password", "no more"},
		"a credential of another kind":      {platformtest.Identity + "/set-password?link=" + m.AddApp(t, nil).Secret, "no more"},
		"a link that is ten thousand bytes": {platformtest.Identity + "/set-password?link=" + strings.Repeat("a", 6000), "no more"},
	} {
		r := b.Get(c.link)
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, c.says) {
			t.Errorf("%s: %d, without %q", name, r.StatusCode, c.says)
		}
		query, _ := url.Parse(c.link)
		form := url.Values{"csrf": {r.Field("csrf")}, "link": {query.Query().Get("link")}, "password": {"another good password"}, "confirm": {"yes"}}
		form.Set("csrf", b.Get(platformtest.Identity+"/signin").Field("csrf"))
		if r := b.Post(platformtest.Identity+"/set-password", form); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s, posted: %d", name, r.StatusCode)
		}
	}
	if r := signIn(m.NewBrowser(t), string(ada.Email), newPassword); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the password of the first use: %d", r.StatusCode)
	}
	m.deliver(t) // the notice of the new password
	m.server.Empty()
	m.World.Advance(time.Hour) // to have tries again
	m.forgot(t, b, string(ada.Email))
	late := m.linkTo(t, ada.Email)
	m.World.Advance(loop.ResetLinkLife)
	if r := b.Get(late); r.StatusCode != http.StatusBadRequest {
		t.Errorf("half an hour later: %d", r.StatusCode)
	}
}

func TestSec253_Reset_WhoLooksAtALinkConsumesNothing(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada, b := m.AddMember(t, "Ada"), m.NewBrowser(t)
	m.forgot(t, b, string(ada.Email))
	link := m.linkTo(t, ada.Email)
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodGet, http.MethodOptions} {
		req, err := http.NewRequestWithContext(t.Context(), method, link, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.NewBrowser(t).Do(req) // a scanner of mails: no cookie, no form
	}
	query, _ := url.Parse(link)
	forged := url.Values{"link": {query.Query().Get("link")}, "password": {"chosen by a scanner"}, "confirm": {"yes"}}
	if r := m.NewBrowser(t).Post(platformtest.Identity+"/set-password", forged); r.StatusCode != http.StatusForbidden {
		t.Errorf("a form that no page of ours had: %d", r.StatusCode)
	}
	if r := setPassword(b, link, newPassword); r.StatusCode != http.StatusSeeOther {
		t.Errorf("afterwards the link is good no more: %d %s", r.StatusCode, r.Text)
	}
}

func TestSec254_Reset_InAnotherBrowserALinkIsTakenUpByAFormFirst(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada, asked, other := m.AddMember(t, "Ada"), m.NewBrowser(t), m.NewBrowser(t)
	m.forgot(t, asked, string(ada.Email))
	link := m.linkTo(t, ada.Email)
	page := other.Get(link)
	if !strings.Contains(page.Text, `id="elsewhere"`) || strings.Contains(page.Text, `id="password"`) {
		t.Fatalf("another browser is shown the form at once: %s", page.Text)
	}
	theirs := asked.Get(link)
	for name, confirmed := range map[string]string{"without having asked": "", "with the other browser's": theirs.Field("confirmed"), "with what is made up": "AAAA"} {
		r := other.Post(platformtest.Identity+"/set-password", url.Values{"csrf": {page.Field("csrf")}, "link": {page.Field("link")}, "confirmed": {confirmed}, "password": {newPassword}})
		if r.StatusCode != http.StatusOK || !strings.Contains(r.Text, `id="elsewhere"`) {
			t.Errorf("a password is set %s: %d", name, r.StatusCode)
		}
	}
	page = other.Post(platformtest.Identity+"/set-password", url.Values{"csrf": {page.Field("csrf")}, "link": {page.Field("link")}, "confirm": {"yes"}})
	if page.Field("confirmed") == "" || !strings.Contains(page.Text, `id="password"`) {
		t.Fatalf("a link that was taken up shows no form: %s", page.Text)
	}
	r := other.Post(platformtest.Identity+"/set-password", url.Values{"csrf": {page.Field("csrf")}, "link": {page.Field("link")}, "confirmed": {page.Field("confirmed")}, "password": {newPassword}})
	if r.StatusCode != http.StatusSeeOther {
		t.Errorf("then: %d %s", r.StatusCode, r.Text)
	}
}

func TestSec255_Reset_AnUnknownAddressIsAnsweredAlikeAndReceivesNoLink(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada := m.AddMember(t, "Ada")
	pages := map[string]string{}
	for _, email := range []string{string(ada.Email), "nobody@members.example"} {
		b := m.NewBrowser(t)
		page := b.Get(platformtest.Identity + "/forgot-password")
		r := b.Post(platformtest.Identity+"/forgot-password", url.Values{"csrf": {page.Field("csrf")}, "email": {email}})
		pages[email] = r.Redirected(t).String() + b.Follow(r).Text
	}
	m.deliver(t)
	hidden := regexp.MustCompile(`name="csrf" value="[^"]*"`)
	known, unknown := hidden.ReplaceAllString(pages[string(ada.Email)], ""), hidden.ReplaceAllString(pages["nobody@members.example"], "")
	if known != unknown {
		t.Errorf("the answers differ:\n%s\n%s", known, unknown)
	}
	got := m.server.Only("nobody@members.example")
	if !strings.Contains(got.Subject, "no Loop account") || linkInMail.MatchString(got.Text+got.HTML) {
		t.Errorf("the letter is %s\n%s", got.Subject, got.Text)
	}
	m.server.Only(ada.Email)
}
