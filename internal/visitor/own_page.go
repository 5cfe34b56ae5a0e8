package visitor

import (
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Where no app's request goes on, pages can carry on to a page of the member's
// account, in the same field: its path, which no sealed text begins like.

// AccountPath is before every page of the member's account, and ConsolePath before every
// page of operators.
const (
	AccountPath = "/account"
	ConsolePath = "/admin"
)

// recentMark is before the path of a page that asks for a recent sign-in.
const recentMark = "recent:"

// maxOwnPage is beyond the path of any page of the account.
const maxOwnPage = 100

// ownPage is a page of the account that a member is led back to.
type ownPage struct {
	path   string
	recent bool // it needs a recent sign-in
}

// Back is the journey that leads back to a page of the account. Any other path
// leads home.
func Back(path string) Journey { return backTo(ownPage{path: path}) }

// BackRecent is Back to a page that needs a recent sign-in.
func BackRecent(path string) Journey { return backTo(ownPage{path, true}) }

func backTo(page ownPage) Journey {
	switch {
	case !isOwnPage(page.path):
		return Journey{}
	case page.recent:
		return Journey{text: recentMark + page.path, back: page}
	default:
		return Journey{text: page.path, back: page}
	}
}

// readBack reads the text of a journey that leads back to a page of the account; what
// only looks like one is none.
func readBack(text string) (j Journey, ok bool) {
	path, recent := strings.CutPrefix(text, recentMark)
	j = backTo(ownPage{path, recent})
	return j, j.text != ""
}

// isOwnPage reports whether a path is one of the account's or of the console's, in the one form that no
// browser takes for the address of another host.
func isOwnPage(path string) bool {
	rest, under := strings.CutPrefix(path, AccountPath)
	if !under {
		rest, under = strings.CutPrefix(path, ConsolePath)
	}
	if !under || rest != "" && rest[0] != '/' || len(path) > maxOwnPage {
		return false
	}
	for _, r := range rest {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && !strings.ContainsRune("/_-", r) {
			return false
		}
	}
	return !strings.Contains(path, "//")
}

// BackTo is the page of the account that the journey leads back to; empty: none.
func (j Journey) BackTo() string { return j.back.path }

// TooOld reports whether the journey leads to a page that needs a more recent
// sign-in than this.
func (j Journey) TooOld(now time.Time, signIn *loop.SignIn) bool {
	return j.back.recent && !signIn.Recent(now)
}

// query is the journey as an address carries it.
func (j Journey) query() string { return "?continue=" + url.QueryEscape(j.text) }

// NeedsRecent reports whether the journey leads to a page that needs a recent sign-in.
func (j Journey) NeedsRecent() bool { return j.back.recent }
