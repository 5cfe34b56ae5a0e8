package oauth

import (
	"context"
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Continuation carries an authorization request through sign-in and consent. It
// is sealed, so that nobody can change the request on its way, and bound to the
// browser that made it, so that nobody else can go on with it.
type Continuation struct {
	Asked
	Progress Progress
	Browser  string // the pre-session cookie's value
}

// SealContinuation gives the text that pages carry. A pushed request stays where
// it is kept, and travels by its name.
func (s *Server) SealContinuation(c Continuation) string {
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
	return s.sealer(credential.ForContinuations).Seal(p)
}

// The letters of a Progress in a continuation.
const (
	chosen   = "1"
	signedIn = "s"
)

func (p Progress) flags() (flags string) {
	if p.Chosen {
		flags += chosen
	}
	if p.SignedIn {
		flags += signedIn
	}
	return flags
}

// errLost is what a member reads whose request cannot be taken up again.
var errLost = loop.Errorf(loop.InvalidRequest, "This page is too old, or was opened in another browser. Go back to the app and start again.")

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
	flags := u.text()
	c.Progress.Chosen, c.Progress.SignedIn = strings.Contains(flags, chosen), strings.Contains(flags, signedIn)
	c.Browser = u.text()
	if err != nil || !u.done() || !slices.Contains(browsers, c.Browser) || !loop.Alive(s.World.Now(), c.Progress.Began, loop.ContinuationLife) {
		return Continuation{}, errLost
	}
	if c.Handle != "" {
		c.Asked, _, err = s.openPushed(ctx, c.Handle, true)
	}
	return c, err
}

// Ticket is what a consent page was made of. Only exactly that can be allowed.
type Ticket struct {
	Session loop.SessionID
	Member  loop.MemberID
	Request string // the hash of the parameters
	Shown   loop.Scopes
	Text    string    // version and language of the words that were shown
	Client  time.Time // when the client's registration last changed
	MadeAt  time.Time
}

// NewTicket makes the ticket of a consent page for what is asked now, in words of a
// language and version.
func (s *Server) NewTicket(req *AuthorizationRequest, signIn *loop.SignIn, words string) string {
	var p packer
	p.text(string(signIn.Session))
	p.text(string(signIn.Member.ID))
	p.text(requestHash(req))
	p.text(req.Scopes.String())
	p.text(words)
	p.moment(req.Client.UpdatedAt)
	p.moment(s.World.Now())
	return s.sealer(credential.ForTickets).Seal(p)
}

// CheckTicket reports whether a consent form answers exactly the page that would
// be shown now, in these words, to this member in this session, and gives what it
// showed. If not, the page is to be shown again.
func (s *Server) CheckTicket(text string, req *AuthorizationRequest, signIn *loop.SignIn, words string) (shown loop.Scopes, ok bool) {
	u, ok := unseal(s.Ring, credential.ForTickets, text)
	if !ok {
		return nil, false
	}
	t := Ticket{Session: loop.SessionID(u.text()), Member: loop.MemberID(u.text()), Request: u.text()}
	shown = loop.ReadScopes(u.text())
	t.Text = u.text()
	t.Client = u.moment()
	t.MadeAt = u.moment()
	ok = u.done() &&
		t.Session == signIn.Session && t.Member == signIn.Member.ID &&
		t.Request == requestHash(req) && shown.String() == req.Scopes.String() &&
		t.Text == words && t.Client.Equal(req.Client.UpdatedAt) &&
		loop.Alive(s.World.Now(), t.MadeAt, loop.TicketLife)
	return shown, ok
}

func requestHash(req *AuthorizationRequest) string {
	sum := sha256.Sum256([]byte(req.Parameters.Encode()))
	return string(sum[:])
}

func (s *Server) sealer(purpose credential.Purpose) credential.Sealer {
	return credential.Sealer{Ring: s.Ring, Purpose: purpose}
}

func unseal(ring *credential.Ring, purpose credential.Purpose, text string) (*unpacker, bool) {
	plain, err := credential.Sealer{Ring: ring, Purpose: purpose}.Open(text)
	u := unpack(plain)
	return &u, err == nil
}
