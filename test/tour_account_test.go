package test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// uploaded is a file with a result that is known and one that isn't. Its values are
// invented.
const uploaded = `{"resourceType":"Observation","id":"a","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"3016-3"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2025-03-02","valueQuantity":{"value":2.40,"unit":"mIU/L"}}
{"resourceType":"Observation","id":"b","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"99999-9"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2025-03-02","valueQuantity":{"value":7,"unit":"mIU/L"}}
`

// ownAccount goes through what a member does once: a file, an address, a passkey, a
// second factor, another password. Each language has a member of its own for it.
func (v *tour) ownAccount(t *testing.T) {
	b := v.browser
	email := "tour-" + v.language + "@members.example"
	member := v.platform.made(t, "user", "create", "--name", "Grace Brewster Murray Hopper", "--email", email, "--test")
	signIn := func(password string) {
		b.open(t, v.identity("/account"))
		b.fill(t, "email", email)
		b.fill(t, "password", password)
		b.press(t, "sign-in")
	}
	signIn(member["password"])
	v.choose(t)
	for name, path := range map[string]string{"password": "/account/password", "address": "/account/email", "passkey": "/account/security/passkey"} {
		b.open(t, v.identity(path))
		v.at(t, name)
	}
	v.importFile(t)
	secret := v.setUpFactor(t)
	b.open(t, v.identity("/account"))
	b.press(t, "sign-out")
	b.press(t, "sign-out")
	password := v.forgetPassword(t, email)
	signIn(password)
	v.at(t, "code")
	b.fill(t, "code", "000000")
	b.press(t, "send-code")
	v.at(t, "code-refused")
	b.fill(t, "code", codeAt(t, secret, time.Now().Add(30*time.Second))) // the one of now was used
	b.press(t, "send-code")
	v.signOut(t)
}

// importFile looks at what is in a file, and keeps it.
func (v *tour) importFile(t *testing.T) {
	b := v.browser
	b.open(t, v.identity("/account/results/import"))
	v.at(t, "import")
	file := filepath.Join(t.TempDir(), "labs.ndjson")
	if err := os.WriteFile(file, []byte(uploaded), 0o600); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.press(t, "look")
	v.at(t, "import-preview")
	b.press(t, "keep")
	v.at(t, "import-kept")
}

// setUpFactor gives the secret of the authenticator app that it sets up.
func (v *tour) setUpFactor(t *testing.T) string {
	b := v.browser
	b.open(t, v.identity("/account/security/code"))
	v.at(t, "factor")
	secret := b.textOf(t, "#secret")
	v.platform.secrets.saw("secret of a second factor", secret)
	b.fill(t, "code", codeAt(t, secret, time.Now()))
	b.press(t, "add-factor")
	v.at(t, "codes")
	return secret
}

// forgetPassword gives the password that it sets by the link in a mail.
func (v *tour) forgetPassword(t *testing.T, email string) string {
	b := v.browser
	b.open(t, v.identity("/forgot-password"))
	b.fill(t, "email", email)
	b.press(t, "send-link")
	b.open(t, v.platform.mailTo(t, email, "Set a new password for Loop", "Neues Passwort für Loop festlegen"))
	b.press(t, "link")
	v.at(t, "set-password")
	const password = "lantern copper river meadow"
	b.fill(t, "password", password)
	b.press(t, "set-password")
	v.at(t, "password-set")
	return password
}

// codeAt is what an authenticator app shows at a time.
func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
