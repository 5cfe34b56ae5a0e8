package oauth

import (
	"crypto/sha256"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

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
func (f Forms) NewTicket(req *AuthorizationRequest, signIn *loop.SignIn, words string) string {
	var p packer
	p.text(string(signIn.Session))
	p.text(string(signIn.Member.ID))
	p.text(requestHash(req))
	p.text(req.Scopes.String())
	p.text(words)
	p.moment(req.Client.UpdatedAt)
	p.moment(f.World.Now())
	return f.sealer(credential.ForTickets).Seal(p)
}

// CheckTicket reports whether a consent form answers exactly the page that would
// be shown now, in these words, to this member in this session, and gives what it
// showed. If not, the page is to be shown again.
func (f Forms) CheckTicket(text string, req *AuthorizationRequest, signIn *loop.SignIn, words string) (shown loop.Scopes, ok bool) {
	u, ok := unseal(f.Ring, credential.ForTickets, text)
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
		loop.Alive(f.World.Now(), t.MadeAt, loop.TicketLife)
	return shown, ok
}

func requestHash(req *AuthorizationRequest) string {
	sum := sha256.Sum256([]byte(req.Parameters.Encode()))
	return string(sum[:])
}
