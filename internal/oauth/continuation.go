package oauth

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Continuation carries an authorization request through sign-in and consent. It
// is sealed, so that nobody can change the request meanwhile, and bound to the
// browser that made it, so that nobody else can go on with it.
type Continuation struct {
	RawRequest
	Progress Progress
	Browser  string // the pre-session cookie's value
}

// SealContinuation gives the text that pages carry. A pushed request stays where
// it is kept, and is carried as its request_uri.
func (f Forms) SealContinuation(c Continuation) string {
	var p packer
	p.text(c.Handle)
	if c.Handle == "" {
		p.text(c.Parameters.Encode())
	} else {
		p.text("")
	}
	p.moment(c.Progress.Began)
	p.text(c.Progress.flags())
	p.text(c.Browser)
	return f.sealer(credential.ForContinuations).Seal(p)
}

// The letters of a Progress in a continuation; a language follows at the end.
const (
	chosen   = "1"
	signedIn = "s"

	languageBegins = ":"
)

func (p Progress) flags() (flags string) {
	if p.Chosen {
		flags += chosen
	}
	if p.SignedIn {
		flags += signedIn
	}
	return flags + languageBegins + p.Language
}

// read takes what flags wrote.
func (p *Progress) read(text string) {
	flags, language, _ := strings.Cut(text, languageBegins)
	p.Chosen, p.SignedIn, p.Language = strings.Contains(flags, chosen), strings.Contains(flags, signedIn), language
}

// errLost is what a member reads whose request cannot be taken up again.
var errLost = loop.Errorf(loop.InvalidRequest, "This page is too old, or was opened in another browser. Go back to the app and start again.").Worded("fault.lost")

// OpenContinuation reads a continuation that came from a browser with these values
// of its cookies: InvalidRequest where it was not sealed here, is older than 30
// minutes or belongs to another browser,
// InvalidRequestURI where the request was pushed and has been answered.
func (s *Server) OpenContinuation(ctx context.Context, text string, browsers []string) (Continuation, error) {
	u, ok := unseal(s.Ring, credential.ForContinuations, text)
	if !ok {
		return Continuation{}, errLost
	}
	var c Continuation
	c.Handle = u.text()
	params, err := url.ParseQuery(u.text())
	c.Parameters = params
	c.Progress.Began = u.moment()
	c.Progress.read(u.text())
	c.Browser = u.text()
	if err != nil || !u.done() || !slices.Contains(browsers, c.Browser) || !loop.Alive(s.World.Now(), c.Progress.Began, loop.ContinuationLife) {
		return Continuation{}, errLost
	}
	if c.Handle != "" {
		c.RawRequest, _, err = s.openPushed(ctx, c.Handle, true)
	}
	return c, err
}
