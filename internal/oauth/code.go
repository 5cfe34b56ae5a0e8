package oauth

import (
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Code is what an authorization code says. Its id is the id of the chain that
// it will start, so that one insert both consumes it and starts the chain.
type Code struct {
	ID             loop.ChainID
	Client         loop.ClientID
	RedirectURI    loop.RedirectURI
	Challenge      CodeChallenge
	Scopes         loop.Scopes
	AskedFor       loop.ScopeRequest // what the request asked for, allowed or not
	Member         loop.MemberID
	Grant          loop.GrantID
	Session        loop.SessionID
	Authentication loop.Authentication
	Nonce          string
	IDClaims       string // claims asked for in the ID token, separated by spaces
	Resources      []string
	Key            string // thumbprint of the DPoP key that may redeem it; empty: any (RFC 9449 §10)
	ExpiresAt      time.Time
	Counter        uint64
}

// sealCode gives the code its text.
func sealCode(ring *credential.Ring, c Code) credential.Secret {
	var p packer
	p.text(string(c.ID))
	p.text(string(c.Client))
	p.text(string(c.RedirectURI))
	p.text(string(c.Challenge))
	p.text(c.Scopes.String())
	p.text(c.AskedFor.String())
	p.text(string(c.Member))
	p.text(string(c.Grant))
	p.text(string(c.Session))
	p.moment(c.Authentication.At)
	p.text(c.Nonce)
	p.text(c.IDClaims)
	p.text(strings.Join(c.Resources, " "))
	p.text(c.Key)
	p.moment(c.ExpiresAt)
	p.number(int64(c.Counter)) //nolint:gosec // G115: counts up from 0
	p.methods(c.Authentication)
	return credential.SecretOf(credential.CodePrefix.Form(ring.Seal(credential.ForCodes, p)))
}

func openCode(ring *credential.Ring, text string) (Code, bool) {
	sealed, ok := credential.CodePrefix.Parse(text)
	if !ok {
		return Code{}, false
	}
	plain, _, err := ring.Open(credential.ForCodes, sealed)
	if err != nil {
		return Code{}, false
	}
	u := unpack(plain)
	code := Code{
		ID:          loop.ChainID(u.text()),
		Client:      loop.ClientID(u.text()),
		RedirectURI: loop.RedirectURI(u.text()),
		Challenge:   CodeChallenge(u.text()),
	}
	code.Scopes = loop.ReadScopes(u.text())
	code.AskedFor = loop.ReadScopeRequest(u.text())
	code.Member = loop.MemberID(u.text())
	code.Grant = loop.GrantID(u.text())
	code.Session = loop.SessionID(u.text())
	code.Authentication.At = u.moment()
	code.Nonce = u.text()
	code.IDClaims = u.text()
	code.Resources = strings.Fields(u.text())
	code.Key = u.text()
	code.ExpiresAt = u.moment()
	code.Counter = uint64(u.number()) //nolint:gosec // G115: written from a uint64
	u.methods(&code.Authentication)
	return code, u.done()
}
