package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/loop-health/loop/internal/loop"
)

// TLSMode is how the connection to an SMTP server is protected.
type TLSMode string

// The modes.
const (
	StartTLS TLSMode = "starttls" // upgraded, or nothing is sent (RFC 3207)
	Implicit TLSMode = "implicit" // from the first byte (RFC 8314 §3.3)
	Plain    TLSMode = "none"     // MUST only be used on loopback
)

// SMTP is a server that takes mails for everybody (Sender).
type SMTP struct {
	Host     string
	Port     int
	TLS      TLSMode
	User     string // empty: the server asks for none
	Password string
	From     mail.Address   // the sender; its address is ASCII
	Roots    *x509.CertPool // vouch for the server; nil: the system's
	World    loop.World
}

// stepTimeout bounds connecting, and each step of the conversation.
const stepTimeout = 20 * time.Second

// Send hands a mail over (Sender).
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	message, err := s.message(m)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(s.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("preparing a mail: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, message)
	switch {
	case message.IsDelivered(): // whatever became of the farewell
		return nil
	case noMailbox(err):
		return ErrNoMailbox
	default:
		return withoutAddress(err)
	}
}

// Check connects, secures the connection and signs in, as Send does, and sends nothing.
func (s *SMTP) Check(ctx context.Context) error {
	client, err := gomail.NewClient(s.Host, s.options()...)
	if err != nil {
		return fmt.Errorf("preparing a connection: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	return client.Close()
}

// withoutAddress is an error as the log may have it: a server's own words can name
// whom the mail is for.
func withoutAddress(err error) error {
	refused, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return err
	}
	return fmt.Errorf("the mail server refused it with %d %s", refused.ErrorCode(), refused.EnhancedStatusCode())
}

func (s *SMTP) options() []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(stepTimeout), gomail.WithHELO(s.domain()), gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch s.TLS {
	case Implicit:
		options = append(options, gomail.WithSSL())
	case Plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return options
}

// domain is the sender's.
func (s *SMTP) domain() string {
	_, domain, _ := strings.Cut(s.From.Address, "@")
	return domain
}

// message writes a mail in the form of RFC 5322. Nothing in it can begin a header of
// its own: addresses are parsed, and a subject is encoded.
func (s *SMTP) message(m Mail) (*gomail.Msg, error) {
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(&s.From)
	if err := message.To(string(m.To)); err != nil {
		return nil, fmt.Errorf("addressing a mail: %w", err)
	}
	message.Subject(oneLine(m.Subject))
	message.SetMessageIDWithValue(m.ID + "@" + s.domain())
	message.SetDateWithValue(s.World.Now())
	message.SetGenHeader(gomail.HeaderContentLang, m.Language)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: nobody's holiday answers it
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return message, nil
}

// oneLine takes line breaks and what else controls out of a header's text.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}

// noMailbox reports whether a server refused the address for good, and nothing else:
// by an enhanced status of the class "addressing" (RFC 3463 §3.2), or where it has
// none by a code that says nothing else (RFC 5321 §4.2.3).
func noMailbox(err error) bool {
	refused, ok := errors.AsType[*gomail.SendError](err)
	if !ok || refused.Reason != gomail.ErrSMTPRcptTo || refused.IsTemp() {
		return false
	}
	if status := refused.EnhancedStatusCode(); status != "" {
		return strings.HasPrefix(status, "5.1.")
	}
	code := refused.ErrorCode()
	return code == 550 || code == 551 || code == 553
}
