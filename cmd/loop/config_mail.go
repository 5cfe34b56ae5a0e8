package main

import (
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/store/folder"
)

// serverAddress is host and port of a server elsewhere; empty: there is none.
type serverAddress struct {
	host string
	port int
}

// UnmarshalText reads an address to connect to.
func (a *serverAddress) UnmarshalText(text []byte) error {
	host, port, err := net.SplitHostPort(string(text))
	number, numberErr := strconv.ParseUint(port, 10, 16)
	if err != nil || numberErr != nil || number == 0 || host == "" {
		return fmt.Errorf("%q is not the address of a server: write host:port, such as smtp.example.com:587", text)
	}
	a.host, a.port = host, int(number)
	return nil
}

// mailSender is who mails are from.
type mailSender struct{ netmail.Address }

// UnmarshalText reads a sender: an address, or a name and an address.
func (s *mailSender) UnmarshalText(text []byte) error {
	read, err := netmail.ParseAddress(string(text))
	if err == nil {
		_, err = loop.ParseEmail(read.Address)
	}
	if err != nil {
		return fmt.Errorf("%q is not a sender: write an address, such as no-reply@example.com, or Loop <no-reply@example.com>", text)
	}
	s.Address = *read
	return nil
}

// readSMTPPassword reads the password at the mail server from its file, where that is
// where it is.
func (c *config) readSMTPPassword() error {
	switch {
	case c.SMTPPasswordFile == "":
		return nil
	case c.SMTPPassword != "":
		return errors.New("the password at the mail server is given twice: set LOOP_SMTP_PASSWORD or smtp_password_file, not both")
	}
	if err := folder.CheckSecret(c.SMTPPasswordFile); err != nil {
		return fmt.Errorf("smtp_password_file: %w", err)
	}
	read, err := os.ReadFile(c.SMTPPasswordFile)
	if err != nil {
		return fmt.Errorf("the password at the mail server can't be read: %w", err)
	}
	c.SMTPPassword = strings.TrimRight(string(read), "\r\n")
	return nil
}

// agreeOnMail checks what the settings say of the mail server together.
func (c *config) agreeOnMail() error {
	hasSender, hasPassword := c.SMTPFrom.Address.Address != "", c.SMTPPassword != "" || c.SMTPPasswordFile != ""
	switch {
	case c.SMTPServer.host == "" && (hasSender || c.SMTPUser != "" || hasPassword):
		return errors.New("smtp_server is missing: smtp_from, smtp_user and the password are of a mail server")
	case c.SMTPServer.host == "":
		return nil
	case !hasSender:
		return errors.New("smtp_from is missing: who mails are from, such as Loop <no-reply@example.com>")
	case (c.SMTPUser == "") != !hasPassword:
		return errors.New("smtp_user and its password go together: give both, or neither where the mail server asks for none")
	case c.SMTPTLS == mail.Plain && !isLoopback(c.SMTPServer.host):
		return errors.New("smtp_tls is none, and the mail server is another machine: links in mails open accounts, so they travel under TLS")
	case c.SMTPTLS == mail.Plain && c.SMTPUser != "":
		return errors.New("smtp_user is given, and smtp_tls is none: a password travels under TLS alone")
	}
	return nil
}

// mailServer hands mails over to the server that is configured; nil where none is.
func (c *config) mailServer() mail.Sender {
	if c.SMTPServer.host == "" {
		return nil
	}
	return &mail.SMTP{
		Host: c.SMTPServer.host, Port: c.SMTPServer.port, TLS: c.SMTPTLS,
		User: c.SMTPUser, Password: c.SMTPPassword, From: c.SMTPFrom.Address, World: machine(),
	}
}

// withoutMail is what an operator reads where no mail server is configured; empty:
// one is.
func (c *config) withoutMail() string {
	if c.SMTPServer.host != "" {
		return ""
	}
	return "smtp_server is not set, so no mail is sent: nobody can reset a forgotten password or confirm an address, and nobody is warned of a new sign-in"
}
