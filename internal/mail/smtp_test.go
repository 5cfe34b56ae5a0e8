package mail_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/mail/mailtest"
)

// note is a mail as Deliver renders one.
func note(to loop.Email) mail.Mail {
	return mail.Mail{ID: "c0ffee", To: to, Language: "de", Subject: "Grüße", Text: "Guten Tag,\n\nschön.\n", HTML: "<p>schön</p>"}
}

func TestSMTP_HandsMailsOverInEachMode(t *testing.T) {
	t.Parallel()
	for _, how := range []mail.TLSMode{mail.StartTLS, mail.Implicit, mail.Plain} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			server := mailtest.Start(t, how)
			if err := server.SMTP.Send(t.Context(), note("ada@members.example")); err != nil {
				t.Fatal(err)
			}
			got := server.Only("ada@members.example")
			if got.Subject != "Grüße" || !strings.Contains(got.Text, "schön") || got.HTML != "<p>schön</p>" {
				t.Errorf("it received %+v", got)
			}
			for name, want := range map[string]string{
				"Message-Id": "<c0ffee@loop.example>", "Content-Language": "de", "Auto-Submitted": "auto-generated",
				"From": `"Loop" <no-reply@loop.example>`, "To": "<ada@members.example>",
			} {
				if have := got.Header.Get(name); have != want {
					t.Errorf("%s is %q, not %q", name, have, want)
				}
			}
			if who := got.Header.Get("X-Mailer") + got.Header.Get("User-Agent"); who != "" {
				t.Errorf("it names the program that wrote it: %s", who)
			}
		})
	}
}

func TestSec250_SMTP_NoMailTravelsWithoutTheTLSThatIsConfigured(t *testing.T) {
	t.Parallel()
	plain, protected := mailtest.Start(t, mail.Plain), mailtest.Start(t, mail.StartTLS)
	for name, alter := range map[string]func(*mail.SMTP){
		"a server that offers no STARTTLS": func(s *mail.SMTP) { *s = plain.SMTP; s.TLS = mail.StartTLS },
		"a server that speaks no TLS":      func(s *mail.SMTP) { *s = plain.SMTP; s.TLS = mail.Implicit },
		"a server that nobody vouches for": func(s *mail.SMTP) { s.Roots = nil },
		"a server of another name":         func(s *mail.SMTP) { s.Host = "localhost" },
		"a wrong password":                 func(s *mail.SMTP) { s.Password += "x" },
	} {
		t.Run(name, func(t *testing.T) {
			server := protected.SMTP
			alter(&server)
			err := server.Send(t.Context(), note("ada@members.example"))
			if err == nil || errors.Is(err, mail.ErrNoMailbox) {
				t.Errorf("got %v", err)
			}
			if err != nil && server.Password != "" && strings.Contains(err.Error(), server.Password) {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
	if got := len(plain.Received("ada@members.example")) + len(protected.Received("ada@members.example")); got > 0 {
		t.Errorf("%d mails went out", got)
	}
}

func TestSec251_SMTP_NothingInAMailBeginsAHeader(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, mail.Plain)
	evil := note("ada@members.example")
	evil.Subject = "Hello\r\nBcc: eve@evil.example\r\n\r\n<script>"
	if err := server.SMTP.Send(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	got := server.Only("ada@members.example")
	if got.Header.Get("Bcc") != "" || got.Subject != "Hello Bcc: eve@evil.example <script>" {
		t.Errorf("the headers are %v", got.Header)
	}
	for _, address := range []loop.Email{
		"ada@members.example\r\nBcc: eve@evil.example", "ada@members.example, eve@evil.example", "ada@members.example>\r\nRCPT TO:<eve@evil.example", "",
	} {
		if err := server.SMTP.Send(t.Context(), note(address)); err == nil {
			t.Errorf("%q is an address", address)
		}
	}
	if others := server.Received("eve@evil.example"); len(others) > 0 {
		t.Errorf("others received %v", others)
	}
}

func TestSMTP_ARefusedAddressIsNotAFailureOfTheServer(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, mail.Plain)
	for code, gone := range map[int]bool{550: true, 553: true, 450: false, 451: false, 554: false} {
		server.Refuse(code)
		err := server.SMTP.Send(t.Context(), note("ada@members.example"))
		if err == nil || errors.Is(err, mail.ErrNoMailbox) != gone {
			t.Errorf("%d: %v", code, err)
		}
		if err != nil && strings.Contains(err.Error(), "ada@") {
			t.Errorf("%d: the error names the address: %v", code, err)
		}
	}
	server.Refuse(0)
	if err := server.SMTP.Send(t.Context(), note("ada@members.example")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	server.Stop()
	if err := server.SMTP.Send(t.Context(), note("ada@members.example")); err == nil || errors.Is(err, mail.ErrNoMailbox) {
		t.Errorf("without a server: %v", err)
	}
}
