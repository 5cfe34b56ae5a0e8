package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/mail"
)

// withMail are flags of a mail server, and more.
func withMail(more map[string]string) map[string]string {
	flags := map[string]string{"smtp_server": "smtp.example.com:587", "smtp_from": "Loop <no-reply@example.com>"}
	maps.Copy(flags, more)
	return flags
}

func TestConfig_AMailServerIsWhatItsKeysSay(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte(" made at run time \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := readConfig(sources{env: o.env, flags: withMail(map[string]string{"smtp_tls": "implicit", "smtp_user": "loop", "smtp_password_file": secret})})
	if err != nil {
		t.Fatal(err)
	}
	got, ok := config.mailServer().(*mail.SMTP)
	if !ok || got.Host != "smtp.example.com" || got.Port != 587 || got.TLS != mail.Implicit || got.User != "loop" || got.Password != " made at run time " ||
		got.From.Name != "Loop" || got.From.Address != "no-reply@example.com" {
		t.Errorf("it is %+v", got)
	}
	if config, err = readConfig(sources{env: o.env}); err != nil || config.mailServer() != nil {
		t.Errorf("without keys it is %v, %v", config.mailServer(), err)
	}
}

func TestConfig_WhatIsWrongAboutAMailServerIsSaid(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	readable := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(readable, []byte("seen by all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(readable, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flags map[string]string
		env   string
		says  string
	}{
		"no port":                          {withMail(map[string]string{"smtp_server": "smtp.example.com"}), "", "write host:port"},
		"a sender that is none":            {withMail(map[string]string{"smtp_from": "Loop"}), "", "is not a sender"},
		"a sender with a second header":    {withMail(map[string]string{"smtp_from": "Loop <a@example.com>\r\nBcc: eve@evil.example"}), "", "is not a sender"},
		"no sender":                        {map[string]string{"smtp_server": "smtp.example.com:587"}, "", "smtp_from is missing"},
		"a sender alone":                   {map[string]string{"smtp_from": "a@example.com"}, "", "smtp_server is missing"},
		"a user without a password":        {withMail(map[string]string{"smtp_user": "loop"}), "", "go together"},
		"a password without a user":        {withMail(nil), "secret", "go together"},
		"two passwords":                    {withMail(map[string]string{"smtp_user": "loop", "smtp_password_file": readable}), "secret", "given twice"},
		"a mode that is none":              {withMail(map[string]string{"smtp_tls": "ssl"}), "", "none of starttls, implicit, none"},
		"no TLS to another machine":        {withMail(map[string]string{"smtp_tls": "none"}), "", "another machine"},
		"a password without TLS":           {withMail(map[string]string{"smtp_server": "127.0.0.1:25", "smtp_tls": "none", "smtp_user": "loop"}), "secret", "under TLS alone"},
		"a password that all may read":     {withMail(map[string]string{"smtp_user": "loop", "smtp_password_file": readable}), "", "smtp_password_file"},
		"a file of a password that is not": {withMail(map[string]string{"smtp_user": "loop", "smtp_password_file": readable + ".none"}), "", "smtp_password_file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := o.env[:len(o.env):len(o.env)]
			if c.env != "" {
				env = append(env, "LOOP_SMTP_PASSWORD="+c.env)
			}
			_, err := readConfig(sources{env: env, flags: c.flags})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("without %q: %v", c.says, err)
			}
			if err != nil && c.env != "" && strings.Contains(err.Error(), c.env) {
				t.Errorf("the password is in %v", err)
			}
		})
	}
}

func TestConfig_ThatNoMailIsSentIsPointedOut(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	if out := o.do("serve", "--check"); !strings.Contains(out, "smtp_server is not set") {
		t.Errorf("it says %q", out)
	}
	if out := o.do("serve", "--check", "--smtp-server", "smtp.example.com:587", "--smtp-from", "no-reply@example.com"); strings.Contains(out, "smtp_server") {
		t.Errorf("with a mail server it says %q", out)
	}
}
