package mail_test

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// members are the readers of letters, by their id.
type members map[loop.MemberID]*loop.Member

func (m members) Member(_ context.Context, id loop.MemberID) (*loop.Member, error) {
	if found, there := m[id]; there {
		return found, nil
	}
	return nil, loop.ErrNotFound
}

// sender keeps what it is handed, and answers with an error if it has one.
type sender struct {
	sent  []mail.Mail
	fails error
}

func (s *sender) Send(_ context.Context, m mail.Mail) error {
	s.sent = append(s.sent, m)
	return s.fails
}

// newDeliverer has two members: Ada reads English, Bob German.
func newDeliverer(t *testing.T) (*mail.Deliverer, *sender) {
	t.Helper()
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	identity, err := url.Parse("https://identity.platform.test")
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{}
	ring := credentialtest.NewRing(t)
	return &mail.Deliverer{
		Office: &mail.Office{Sealer: credential.Sealer{Ring: ring, Purpose: credential.ForMail}, World: loop.Machine{}},
		Sender: s, Texts: texts, Identity: identity, World: loop.Machine{},
		Members: members{"user_ada": {ID: "user_ada", Email: "ada@members.example", Locale: "en"}, "user_bob": {ID: "user_bob", Email: "bob@members.example", Locale: "de-AT"}},
	}, s
}

func deliver(t *testing.T, d *mail.Deliverer, letter mail.Letter) (outbox.Delivery, error) {
	t.Helper()
	delivery := outbox.Delivery{Message: d.Office.Compose(letter)[0]}
	return delivery, d.Deliver(t.Context(), delivery)
}

// letters are all that there are, with as many arguments as each takes.
var letters = map[mail.Text]int{
	mail.ResetPassword: 0, mail.NoAccount: 0, mail.ConfirmSignUp: 0, mail.HasAccount: 0, mail.ConfirmAddress: 0, mail.AddressTaken: 0, mail.AddressRequested: 1,
	mail.AddressChanged: 2, mail.PasswordChanged: 0, mail.NewDevice: 1, mail.AppConnected: 1, mail.AppDisconnected: 1, mail.PasskeyAdded: 1, mail.PasskeyRemoved: 1,
	mail.FactorAdded: 0, mail.FactorRemoved: 0, mail.RecoveryCodesMade: 0, mail.RecoveryCodeUsed: 0, mail.WebhookDisabled: 2,
}

var (
	place  = regexp.MustCompile(`\{\d+\}`)
	remote = regexp.MustCompile(`(?i)<(img|link|script|iframe|object|video|audio|form|input|base|meta http-equiv)|url\(|@import|\bsrc=`)
)

func TestDeliverer_EachLetterIsWholeInEachLanguageAndLoadsNothing(t *testing.T) {
	t.Parallel()
	d, s := newDeliverer(t)
	for text, args := range letters {
		for _, reader := range []loop.MemberID{"user_ada", "user_bob"} {
			letter := mail.Letter{Text: text, Member: reader, Args: []string{"<b>Morning & Labs</b>", "other@people.example"}[:args], At: time.Date(2036, 3, 3, 8, 15, 0, 0, time.UTC)}
			if _, err := deliver(t, d, letter); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			m := s.sent[len(s.sent)-1]
			german := reader == "user_bob"
			if german != (m.Language == "de") || german != strings.Contains(m.Text, "Guten Tag") || m.Subject == "" || strings.Contains(m.Text+m.Subject, "mail.") {
				t.Errorf("%s for %s: %s, %q\n%s", text, reader, m.Language, m.Subject, m.Text)
			}
			if left := place.FindString(m.Subject + m.Text + m.HTML); left != "" {
				t.Errorf("%s in %s: %s is filled in with nothing", text, m.Language, left)
			}
			if loads := remote.FindString(m.HTML); loads != "" || strings.Contains(m.HTML, "<b>") {
				t.Errorf("%s in %s: %q, or another's HTML, is in\n%s", text, m.Language, loads, m.HTML)
			}
			for _, link := range regexp.MustCompile(`https?://[^\s"<]+`).FindAllString(m.Text+m.HTML, -1) {
				if !strings.HasPrefix(link, "https://identity.platform.test/") {
					t.Errorf("%s leads to %s", text, link)
				}
			}
		}
	}
}

func TestDeliverer_ASecondAttemptHasTheNameOfTheFirst(t *testing.T) {
	t.Parallel()
	d, s := newDeliverer(t)
	s.fails = errors.New("the connection broke after the mail was sent")
	delivery, err := deliver(t, d, mail.Letter{Text: mail.PasswordChanged, Member: "user_ada"})
	if err == nil || !d.Late() {
		t.Errorf("an attempt that failed: %v, late: %t", err, d.Late())
	}
	s.fails = nil
	if err := d.Deliver(t.Context(), delivery); err != nil || d.Late() {
		t.Errorf("the next one: %v, late: %t", err, d.Late())
	}
	if _, err := deliver(t, d, mail.Letter{Text: mail.PasswordChanged, Member: "user_ada"}); err != nil {
		t.Fatal(err)
	}
	if s.sent[0].ID == "" || s.sent[0].ID != s.sent[1].ID || s.sent[2].ID == s.sent[0].ID {
		t.Errorf("the mails are named %s, %s and, another, %s", s.sent[0].ID, s.sent[1].ID, s.sent[2].ID)
	}
}

func TestDeliverer_WhatIsOfNoUseIsNotSentAndIsRecorded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		letter mail.Letter
		fails  error
		sends  int
	}{
		"a link that is over":      {mail.Letter{Text: mail.ResetPassword, Member: "user_ada", Until: time.Now().Add(-time.Second)}, nil, 0},
		"a member who is gone":     {mail.Letter{Text: mail.PasswordChanged, Member: "user_gone"}, nil, 0},
		"a mailbox that is not":    {mail.Letter{Text: mail.PasswordChanged, Member: "user_ada"}, mail.ErrNoMailbox, 1},
		"to a stranger, who isn't": {mail.Letter{Text: mail.NoAccount, To: "nobody@people.example"}, mail.ErrNoMailbox, 1},
	} {
		d, s := newDeliverer(t)
		s.fails = c.fails
		delivery, err := deliver(t, d, c.letter)
		if !errors.Is(err, outbox.ErrObsolete) || len(s.sent) != c.sends || d.Late() {
			t.Errorf("%s: %v, %d mails, late: %t", name, err, len(s.sent), d.Late())
		}
		delivery.Outcome = outbox.Obsolete
		records := d.Records(delivery)
		if len(records) != 1 || records[0].Event != audit.MailUndelivered || records[0].Member != c.letter.Member || records[0].Detail["text"] != string(c.letter.Text) {
			t.Errorf("%s is recorded as %+v", name, records)
		}
	}
}

func TestSec262_Office_ALetterThatWaitsCanBeReadByNobody(t *testing.T) {
	t.Parallel()
	d, _ := newDeliverer(t)
	message := d.Office.Compose(mail.Letter{Text: mail.ResetPassword, To: "ada@members.example", Link: "/set-password?link=lph_ml_secret"})[0]
	for _, word := range []string{"ada", "members", "lph_ml_", "reset"} {
		if strings.Contains(string(message.Payload)+message.ID+message.Destination, word) {
			t.Errorf("the message says %q", word)
		}
	}
	other, s := newDeliverer(t)
	if err := other.Deliver(t.Context(), outbox.Delivery{Message: message}); err == nil || len(s.sent) > 0 {
		t.Errorf("another key ring opens it: %v", err)
	}
	var none *mail.Office
	if got := none.Notice("user_ada", mail.PasswordChanged); got != nil {
		t.Errorf("where no mail is sent, %v is written", got)
	}
}
