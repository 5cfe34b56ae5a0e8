package loop

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Member is a person with an account: the resource owner of OAuth.
type Member struct {
	ID            MemberID
	Name          string
	Email         Email
	EmailVerified bool
	Locale        string // BCP 47, such as en
	Sex           Sex
	BornOn        time.Time // the date, at midnight UTC; zero: not known
	Test          bool      // synthetic data; what apps in development may see
	Suspended     bool
	Notice        Notice    // shown once at the next sign-in
	DevicesSince  time.Time // browsers that they signed in with earlier are not known any more; zero: all are
	CreatedAt     time.Time
	UpdatedAt     time.Time
	ErasesAt      time.Time // when they are erased, unless they sign in before; zero: they stay
	ErasedAt      time.Time // then name and address are gone, and they are suspended for good; zero: they were not
}

// Sex is what the catalogue's reference ranges go by. Empty: not known.
type Sex string

// The sexes for which the catalogue has ranges of their own.
const (
	Female Sex = "female"
	Male   Sex = "male"
)

// Email is an address in its one canonical form: trimmed, ASCII, lower case.
type Email string

// maxEmailLength is RFC 5321 §4.5.3.1.3: a path of 256 octets with its brackets.
const maxEmailLength = 254

// ParseEmail brings an address into canonical form, the same at sign-up and
// sign-in. A domain of other scripts becomes its ASCII form (RFC 5891 §4.4). Anything
// else but one plain ASCII address is a ValidationError: few mail servers take an
// address with other letters before the @ (RFC 6531).
func ParseEmail(text string) (Email, error) {
	fault := Errorf(ValidationError, "Enter one e-mail address, such as name@example.com.").About("email").Worded("fault.email")
	text = strings.TrimSpace(text)
	if len(text) > 4*maxEmailLength {
		return "", fault
	}
	local, domain, ok := strings.Cut(text, "@")
	if ok && strings.ContainsFunc(local, func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsLetter(r) }) {
		return "", Errorf(ValidationError, "This address has letters before the @ that Loop cannot send mail to. Use an address with a to z there.").About("email").Worded("address.letters")
	}
	domain, err := asciiDomain(domain)
	if err != nil {
		return "", fault
	}
	text = local + "@" + domain
	if !ok || len(text) > maxEmailLength || local == "" || len(local) > 64 || !plainLocal(local) || !plainDomain(domain) {
		return "", fault
	}
	return Email(strings.ToLower(text)), nil
}

// asciiDomain is a domain in ASCII, as mail servers know it.
func asciiDomain(domain string) (string, error) {
	for i := range len(domain) {
		if domain[i] >= utf8.RuneSelf {
			return idna.Lookup.ToASCII(domain)
		}
	}
	return domain, nil
}

// plainLocal accepts RFC 5321's Dot-string: no quotes, no spaces, no comments.
func plainLocal(local string) bool {
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.IndexFunc(atom, func(r rune) bool { return !letterOrDigit(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) }) >= 0 {
			return false
		}
	}
	return true
}

func plainDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.IndexFunc(label, func(r rune) bool { return !letterOrDigit(r) && r != '-' }) >= 0 {
			return false
		}
	}
	return len(labels) >= 2
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// ParseName checks the name that a member gives: one line of at most 100
// characters.
func ParseName(text string) (string, error) {
	name := strings.Join(strings.Fields(text), " ")
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 100 {
		return "", Errorf(ValidationError, "Enter your name, in at most 100 characters.").About("name").Worded("fault.name")
	}
	if hidesSomething(name) {
		return "", Errorf(ValidationError, "This name holds a character that shows nothing, such as a zero-width space or a change of direction. Type it without.").About("name").Worded("fault.name_hidden")
	}
	return name, nil
}
