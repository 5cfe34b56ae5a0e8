package oauth

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// refreshToken is what a refresh token says: which chain, which generation. The
// rest is in the chain's row.
type refreshToken struct {
	chain      loop.ChainID
	member     loop.MemberID
	generation int64
	keyID      uint32
	mac        []byte // under the key and the row's salt: neither alone makes a token
}

const refreshMACLength = 16

// sealRefreshToken gives the chain's one good refresh token its text; the same
// chain in the same state has the same text.
func sealRefreshToken(ring *credential.Ring, chain *loop.Chain) (credential.Secret, error) {
	var p packer
	p.text(string(chain.ID))
	p.text(string(chain.Member))
	p.number(chain.Generation)
	sealed, err := ring.SealReproducibly(credential.ForRefreshTokens, chain.KeyID, p)
	if err != nil { // the chain's key was revoked, and the chain with it
		return credential.Secret{}, errBadRefresh.Because(err)
	}
	mac := refreshMAC(ring, chain, chain.KeyID, chain.Generation)
	return credential.SecretOf(credential.RefreshTokenPrefix.Form(append(sealed, mac...))), nil
}

func refreshMAC(ring *credential.Ring, chain *loop.Chain, keyID uint32, generation int64) []byte {
	number := binary.BigEndian.AppendUint64(nil, uint64(generation)) //nolint:gosec // G115: counts up from 1
	mac := ring.MAC(credential.ForRefreshTokens, keyID, chain.Salt[:], []byte(chain.ID), number)
	return mac[:min(len(mac), refreshMACLength)] // nothing where the key was revoked a moment ago
}

func openRefreshToken(ring *credential.Ring, text string) (refreshToken, bool) {
	body, ok := credential.RefreshTokenPrefix.Parse(text)
	if !ok || len(body) < refreshMACLength {
		return refreshToken{}, false
	}
	sealed, mac := body[:len(body)-refreshMACLength], body[len(body)-refreshMACLength:]
	plain, keyID, err := ring.Open(credential.ForRefreshTokens, sealed)
	if err != nil {
		return refreshToken{}, false
	}
	u := unpack(plain)
	token := refreshToken{chain: loop.ChainID(u.text()), member: loop.MemberID(u.text()), generation: u.number(), keyID: keyID, mac: mac}
	return token, u.done()
}

// refresh rotates a refresh token (RFC 6749 §6, RFC 9700 §4.14.2).
func (s *Server) refresh(ctx context.Context, req TokenRequest) (*TokenResponse, error) {
	text, err := parameter.Required(req.Form, "refresh_token")
	if err != nil {
		return nil, err
	}
	var named *loop.ScopeRequest
	if req.Form.Has("scope") {
		asked, err := loop.ParseScopes(req.Form.Get("scope"))
		if err != nil {
			return nil, err
		}
		named = &asked
	}
	token, ok := openRefreshToken(s.Ring, text)
	if !ok {
		return nil, errBadRefresh
	}
	return s.rotate(ctx, req, token, named)
}

func (s *Server) rotate(ctx context.Context, req TokenRequest, token refreshToken, named *loop.ScopeRequest) (*TokenResponse, error) {
	var done issuance
	err := s.decide(ctx, Subject{Member: token.member, Client: req.Client.ID, Chain: token.chain}, func(st State) (Change, error) {
		var (
			change Change
			err    error
		)
		done, change, err = s.rotation(ctx, req, token, named, st)
		return change, err
	})
	if err = s.settleOutcome(ctx, err, done.chain); err != nil {
		return nil, err
	}
	response, err := s.Minter.issue(req, done)
	if err != nil || !done.granted.Scopes().Has(loop.ScopeOpenID) {
		return response, err
	}
	return s.Minter.withIDToken(response, req.Client, done, "", "")
}

// settleOutcome looks again where it is not known whether a decision was written:
// if the chain is stored as this request left it, it was, and all else that the
// answer needs is derived from it. Otherwise the error stays, and says that
// nobody knows.
func (s *Server) settleOutcome(ctx context.Context, err error, left *loop.Chain) error {
	if left == nil || !errors.Is(err, loop.ErrOutcomeUnknown) {
		return err
	}
	stored, failed := s.Ledger.Chain(ctx, left.Member, left.ID)
	if failed != nil {
		return err // says already that the store is in trouble
	}
	request := audit.OriginOf(ctx).Request
	if request != "" && stored.RotatedBy == request && stored.Generation == left.Generation {
		return nil
	}
	return err
}

// rotation decides on a refresh token that opened: whose it is, whether it is
// the chain's newest, and what it may still be given.
func (s *Server) rotation(ctx context.Context, req TokenRequest, token refreshToken, named *loop.ScopeRequest, st State) (issuance, Change, error) {
	chain, client := st.Chain, req.Client
	if chain == nil || chain.Client != client.ID || !hmac.Equal(token.mac, refreshMAC(s.Ring, chain, token.keyID, token.generation)) {
		return issuance{}, Change{}, errBadRefresh
	}
	if change, err := s.refuseEnded(st); err != nil {
		return issuance{}, change, err
	}
	if chain.Key != "" && chain.Key != req.Binding.Holder() {
		return issuance{}, Change{}, errBadKey
	}
	asked := wanted(named, chain)
	retry := s.withinGrace(req, token, chain, asked.Scopes())
	if change, err := s.refuseOld(ctx, req, token, retry, st); err != nil {
		return issuance{}, change, err
	}
	if beyond := asked.Scopes().Without(chain.Asked(st.Grant)); len(beyond) > 0 {
		return issuance{}, Change{}, scopeBeyond(beyond)
	}
	target, err := s.Resources.narrow(req.Form, chain.Resources)
	if err != nil {
		return issuance{}, Change{}, err
	}
	granted := asked.Within(stillGranted(asked.Scopes().And(chain.Scopes), st))
	if len(granted.Scopes()) == 0 {
		return issuance{}, refused(st, string(chain.ID), "no scope left"), noneLeft(chain, st)
	}
	done := issuance{chain: chain, granted: granted, target: target, member: st.Member, endsAt: st.Grant.EndsAt, counter: st.Counter}
	rec := st.record(ctx, s.World.Now(), audit.TokenRefreshed, byClient(client))
	rec.Detail = audit.Detail{"chain": string(chain.ID), "scopes": granted.Scopes().String()}
	if retry {
		rec.Detail["retry"] = "within grace"
		done.issuedAt, done.counter = chain.RotatedAt, chain.RotatedRev
		return done, Change{Records: []audit.Record{rec}}, nil
	}
	done.chain = s.rotated(ctx, req, st, asked.Scopes())
	if done.chain.Generation > chain.Generation {
		done.issuedAt = done.chain.RotatedAt
	}
	return done, Change{Chain: done.chain, Records: []audit.Record{rec}}, nil
}

// wanted is what a refresh asks for: all that the chain has, or what it names. What
// it names and the member left out is no fault: the answer says what is granted
// (RFC 6749 §3.3, §5.1), and many clients repeat what they asked for at first.
func wanted(named *loop.ScopeRequest, chain *loop.Chain) loop.ScopeRequest {
	if named == nil {
		return chain.AskedFor.And(chain.Scopes).Within(chain.Scopes)
	}
	asked := *named
	asked.Offline = named.Offline && chain.AskedFor.Offline
	return asked
}

// scopeBeyond refuses scopes that this authorization never asked for (RFC 6749 §6).
func scopeBeyond(beyond loop.Scopes) error {
	return loop.Errorf(loop.InvalidScope, "A refresh adds no scopes: this authorization did not ask for %s. Leave it out, or send the member through authorization with it.", beyond).About("scope")
}

// noneLeft distinguishes a refresh that named the wrong scopes from a chain that has lost
// all of its own.
func noneLeft(chain *loop.Chain, st State) error {
	if len(stillGranted(chain.Scopes, st)) > 0 {
		return errNoneGranted
	}
	return errNothingLeft
}

// refuseOld turns away a token that is not the chain's newest. One that was used
// before is a re-use whatever else the request asks for: an app that learns of a
// wrong scope would not know that its tokens were copied.
func (s *Server) refuseOld(ctx context.Context, req TokenRequest, token refreshToken, retry bool, st State) (Change, error) {
	chain := st.Chain
	switch {
	case token.generation > chain.Generation:
		s.Log.ErrorContext(ctx, "a refresh token is newer than its chain: the database was set back", "chain", chain.ID, "generation", token.generation, "stored", chain.Generation)
		return refused(st, string(chain.ID), "newer than stored"), errBadRefresh
	case token.generation < chain.Generation && req.Client.Protocol.Profile.Rules().Rotates && !retry:
		return s.tokenReused(ctx, st), errRefreshReuse
	}
	return Change{}, nil
}

// rotated is the chain after a refresh: with a new token, or, where the client's
// profile keeps it, the same one with a new life, until its key is replaced.
func (s *Server) rotated(ctx context.Context, req TokenRequest, st State, asked loop.Scopes) *loop.Chain {
	now := s.World.Now()
	next := *st.Chain
	next.IdleExpiresAt = now.Add(loop.RefreshTokenIdle)
	if newest := s.Ring.Newest(credential.ForRefreshTokens); req.Client.Protocol.Profile.Rules().Rotates || next.KeyID != newest {
		next.Generation++
		next.KeyID = newest
		next.RotatedRev = st.Counter
		next.RotatedAt, next.RotatedBy, next.RotatedFor, next.RotatedKey = now, audit.OriginOf(ctx).Request, asked, req.Binding.Holder()
	}
	return &next
}

// refuseEnded turns away a token whose chain, grant, member or client has ended.
func (s *Server) refuseEnded(st State) (Change, error) {
	id := string(st.Chain.ID)
	if fault := endedReason(st, s.World.Now()); fault != "" {
		return refused(st, id, fault), errGrantGone
	}
	switch {
	case st.Chain.Ending == loop.EndingReplaced:
		return refused(st, id, "chain replaced"), errReplaced
	case st.Chain.Ending != "":
		return refused(st, id, "chain ended"), errBadRefresh
	case !st.Chain.Live(s.World.Now()):
		return refused(st, id, "idle too long"), errRefreshIdle
	}
	return Change{}, nil
}

// withinGrace reports whether an old token is a retry: the one directly before
// the present, within the client's grace period, for the same key and scopes.
// What the chain has lost in the meantime is the same for both.
func (s *Server) withinGrace(req TokenRequest, token refreshToken, chain *loop.Chain, asked loop.Scopes) bool {
	return req.Client.Protocol.Profile.Rules().Rotates && req.Client.RefreshGrace > 0 && token.generation == chain.Generation-1 &&
		s.World.Now().Before(chain.RotatedAt.Add(req.Client.RefreshGrace)) &&
		req.Binding.Holder() == chain.RotatedKey &&
		asked.And(chain.Scopes).String() == chain.RotatedFor.And(chain.Scopes).String()
}

// tokenReused revokes the whole grant: either the app or a thief holds a token
// that was used before, and nobody can say which (RFC 9700 §4.14.2).
func (s *Server) tokenReused(ctx context.Context, st State) Change {
	grant := *st.Grant
	grant.RevokedAt, grant.UpdatedAt, grant.Reason = s.World.Now(), s.World.Now(), "a refresh token was used twice"
	reused := st.record(ctx, s.World.Now(), audit.TokenReused, byClient(st.Client))
	reused.Detail = audit.Detail{"chain": string(st.Chain.ID)}
	revoked := st.record(ctx, s.World.Now(), audit.GrantRevoked, audit.Actor{Kind: audit.BySystem})
	revoked.Detail = audit.Detail{"reason": grant.Reason}
	return Change{
		Grant:    &grant,
		Revoke:   []loop.Revocation{NewRevocation(s.World, loop.RevokeGrant, string(grant.ID))},
		Notice:   loop.NewNotice(loop.NoticeReused, shownName(st)),
		Messages: s.Office.Notice(grant.Member, mail.AppDisconnected, shownName(st)),
		Records:  []audit.Record{reused, revoked},
	}
}

// shownName is the name of the app that the member allowed: its developer may have
// given it another since, which speaks in our voice where we write it.
func shownName(st State) string {
	if st.Grant.AppName != "" {
		return st.Grant.AppName
	}
	return st.Client.Name // of a grant from before this was kept
}
