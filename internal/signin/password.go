package signin

import (
	"context"
	_ "embed"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Bounds of a password that is chosen, in characters (NIST SP 800-63B §5.1.1.2: at
// least 8, and long ones welcome). There are no rules about kinds of characters. One
// that is typed to sign in may be longer: an earlier release let it be chosen.
const (
	minPassword = 8
	maxPassword = 128
	maxTyped    = 256
)

//go:embed common_passwords.txt
var commonPasswords string

// Passwords is the hashing of passwords with the rules for new ones.
type Passwords struct{ *credential.Passwords }

// Choose checks a password that is chosen for an address and hashes it. One that
// may not be chosen is a ValidationError about password.
func (p Passwords) Choose(ctx context.Context, typed string, email loop.Email) (hash string, err error) {
	password, err := newPassword(typed, email)
	if err != nil {
		return "", err
	}
	return p.Hash(ctx, password)
}

// readPassword brings what was typed into the one form that is hashed, so that
// the same keys on another machine give the same password (RFC 8265 §4.2).
func readPassword(typed string) (string, error) {
	if len(typed) > 4*maxTyped || utf8.RuneCountInString(typed) > maxTyped {
		return "", loop.Errorf(loop.ValidationError, "The password is longer than %d characters.", maxPassword).About("password").Worded("fault.password_long", strconv.Itoa(maxPassword))
	}
	password, err := precis.OpaqueString.String(typed)
	if err != nil {
		return "", loop.Errorf(loop.ValidationError, "The password is empty or holds a character that cannot be typed.").About("password").Worded("fault.password_typed")
	}
	return password, nil
}

// newPassword checks a password that a person chooses.
func newPassword(typed string, email loop.Email) (string, error) {
	password, err := readPassword(typed)
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(password) < minPassword {
		return "", loop.Errorf(loop.ValidationError, "Choose a password of at least %d characters. A few words work well.", minPassword).About("password").Worded("fault.password_short", strconv.Itoa(minPassword))
	}
	if utf8.RuneCountInString(password) > maxPassword {
		return "", loop.Errorf(loop.ValidationError, "The password is longer than %d characters.", maxPassword).About("password").Worded("fault.password_long", strconv.Itoa(maxPassword))
	}
	local, _, _ := strings.Cut(string(email), "@")
	lower := strings.ToLower(password)
	if lower == string(email) || lower == local || isCommon(lower) {
		return "", loop.Errorf(loop.ValidationError, "This password is one of the first that anybody would try. Choose another; a few words work well.").About("password").Worded("fault.password_common")
	}
	return password, nil
}

// isCommon reports whether the password is on the list, or one character again and
// again, or nothing but spaces.
func isCommon(lower string) bool {
	letters := strings.ReplaceAll(lower, " ", "") // other spaces were made this one (RFC 8265 §4.2.2)
	first, _ := utf8.DecodeRuneInString(letters)
	if strings.Trim(letters, string(first)) == "" {
		return true
	}
	for common := range strings.FieldsSeq(commonPasswords) {
		if common == lower {
			return true
		}
	}
	return false
}
