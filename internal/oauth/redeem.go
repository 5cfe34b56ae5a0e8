package oauth

import (
	"context"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/parameter"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// The answers to the holder of a code that does not work. The descriptions name
// the commonest mistake and give nothing away: each needs a genuine code.
var (
	errNoCode       = loop.Errorf(loop.InvalidRequest, "The code is missing. If your callback was given an error instead of a code, there is nothing to exchange: read error and error_description there.").About("code")
	errBadCode      = loop.Errorf(loop.InvalidGrant, "The code is not valid for this client. A code works once, for 60 seconds, for the client that asked for it. Send the member through authorization again.").About("code")
	errCodeExpired  = loop.Errorf(loop.InvalidGrant, "The code has expired: it works for 60 seconds. Send the member through authorization again.").About("code")
	errCodeReused   = loop.Errorf(loop.InvalidGrant, "The code was used before. Because it may have been stolen, the tokens issued from it were ended. Send the member through authorization again.").About("code")
	errBadVerifier  = loop.Errorf(loop.InvalidGrant, "The code_verifier does not match the code_challenge of the authorization request. Send the verifier of the same attempt; the code still works.").About("code_verifier")
	errBadRedirect  = loop.Errorf(loop.InvalidGrant, "The redirect_uri is not the one of the authorization request. Send it again, character by character; the code still works.").About("redirect_uri")
	errBadKey       = loop.Errorf(loop.InvalidGrant, "This is bound to another key or certificate than the request brought. Use the same DPoP key or client certificate as before; nothing was used up.")
	errGrantGone    = loop.Errorf(loop.InvalidGrant, "The consent behind this has ended. Send the member through authorization again.")
	errNothingLeft  = loop.Errorf(loop.InvalidScope, "Nothing of what this authorization gave is allowed any more: the member, or the app's registration, took it back. Send the member through authorization again.").About("scope")
	errNoneGranted  = loop.Errorf(loop.InvalidScope, "None of the scopes named is granted. Leave scope out to get what is; an authorization request with prompt=consent lets the member allow more.").About("scope")
	errBadRefresh   = loop.Errorf(loop.InvalidGrant, "The refresh token is not valid for this client. Send the member through authorization again.").About("refresh_token")
	errReplaced     = loop.Errorf(loop.InvalidGrant, "The refresh token was replaced by a newer authorization of the same member. Use the newer one.").About("refresh_token")
	errRefreshIdle  = loop.Errorf(loop.InvalidGrant, "The refresh token was not used for 90 days and has expired. Send the member through authorization again.").About("refresh_token")
	errRefreshReuse = loop.Errorf(loop.InvalidGrant, "The refresh token was used before. Because it may have been stolen, the member's consent to this app was revoked. Send the member through authorization again; then store the newest refresh token and refresh one at a time, or let the app have a grace period, where its tabs or servers refresh at once.").About("refresh_token")
)

// redeemCode exchanges a code for the first tokens of a chain (RFC 6749 §4.1.3,
// RFC 7636 §4.5).
func (s *Server) redeemCode(ctx context.Context, req TokenRequest) (*TokenResponse, error) {
	code, err := s.presentedCode(req)
	if err != nil {
		return nil, err
	}
	target, err := s.Resources.narrow(req.Form, code.Resources)
	if err != nil {
		return nil, err
	}
	made := issuance{target: target}
	subject := Subject{Member: code.Member, Client: code.Client, Grant: code.Grant, Chain: code.ID}
	err = s.decide(ctx, subject, func(st State) (Change, error) {
		change, refused := s.redemption(ctx, code, req.Binding, st)
		made.chain, made.member, made.counter = change.Chain, st.Member, st.Counter
		if st.Grant != nil {
			made.endsAt = st.Grant.EndsAt
		}
		return change, refused
	})
	if err = s.settleOutcome(ctx, err, made.chain); err != nil {
		return nil, err
	}
	made.granted = made.chain.AskedFor.And(made.chain.Scopes).Within(made.chain.Scopes)
	response, err := s.Minter.issue(req, made)
	if err != nil {
		return nil, err
	}
	return s.Minter.withIDToken(response, req.Client, made, code.Nonce, code.IDClaims)
}

// presentedCode reads the parameters and proves that the code is this client's
// and that the client is the one that began. Nothing of what fails here
// consumes the code or ends anything.
func (s *Server) presentedCode(req TokenRequest) (Code, error) {
	form := req.Form
	text := form.Get("code")
	if strings.TrimSpace(text) == "" {
		return Code{}, errNoCode
	}
	redirectURI, err := parameter.Required(form, "redirect_uri")
	if err != nil {
		return Code{}, err
	}
	verifier, err := readVerifier(req)
	if err != nil {
		return Code{}, err
	}
	code, ok := openCode(s.Ring, text)
	switch {
	case !ok || code.Client != req.Client.ID:
		return Code{}, errBadCode
	case !code.Challenge.metBy(verifier):
		return Code{}, errBadVerifier
	case code.RedirectURI != loop.RedirectURI(redirectURI):
		return Code{}, errBadRedirect
	case code.Key != "" && code.Key != req.Binding.Key:
		return Code{}, errBadKey
	}
	return code, nil
}

// readVerifier reads code_verifier.
func readVerifier(req TokenRequest) (string, error) {
	verifier, err := parameter.Required(req.Form, "code_verifier")
	if err != nil {
		missing := loop.AsError(err)
		return "", loop.Errorf(req.Client.Protocol.Profile.Rules().MissingVerifier, "%s", missing.Description).About(missing.Field)
	}
	return verifier, checkVerifierForm(verifier)
}

// redemption decides on a code: the first presentation starts the chain, a
// second one ends what the first gave (RFC 6749 §4.1.2), even after the code
// has expired.
func (s *Server) redemption(ctx context.Context, code Code, binding possession.Binding, st State) (Change, error) {
	now := s.World.Now()
	if st.Chain != nil {
		return s.codeReused(ctx, st), errCodeReused
	}
	if !loop.Alive(now, code.ExpiresAt.Add(-loop.CodeLife), loop.CodeLife) {
		return refused(st, string(code.ID), "code expired"), errCodeExpired
	}
	fault := endedReason(st, now)
	if fault == "" && s.Revocations.revokedAfter(lineage{code.Member, code.Client, code.Grant, code.ID, "", code.Counter}) {
		fault = "revoked since"
	}
	if fault != "" {
		return refused(st, string(code.ID), fault), errGrantGone
	}
	scopes := stillGranted(code.Scopes, st)
	if len(scopes) == 0 {
		return refused(st, string(code.ID), "no scope left"), errNothingLeft
	}
	origin := audit.OriginOf(ctx)
	chain := &loop.Chain{
		ID: code.ID, Grant: code.Grant, Member: code.Member, Client: code.Client, Scopes: scopes, AskedFor: code.AskedFor,
		Session: code.Session, Authentication: code.Authentication,
		Generation: 1, KeyID: s.Ring.Newest(credential.ForRefreshTokens),
		RotatedAt: now, RotatedBy: origin.Request, RotatedFor: scopes, RotatedKey: binding.Holder(),
		Resources: code.Resources,
		CreatedAt: now, IdleExpiresAt: now.Add(loop.RefreshTokenIdle),
	}
	_, _ = s.World.Read(chain.Salt[:])
	if st.Client.Type == loop.Public {
		chain.Key = binding.Holder() // RFC 9449 §5, RFC 8705 §4: nothing else proves who refreshes
	}

	rec := st.record(ctx, s.World.Now(), audit.CodeRedeemed, byClient(st.Client))
	rec.Detail = audit.Detail{"chain": string(chain.ID), "scopes": scopes.String()}
	return Change{Chain: chain, Keep: chainsKept(st.Client), Records: []audit.Record{rec}}, nil
}

// chainsKept is how many devices one member can use one app on: a confidential
// client is one server, a public client is installed on several.
func chainsKept(client *loop.Client) int {
	if client.Type == loop.Public {
		return loop.MaxPublicChains
	}
	return 1
}

// codeReused ends the chain that the code started, once.
func (s *Server) codeReused(ctx context.Context, st State) Change {
	if st.Chain.Ending == loop.EndingRevoked {
		return refused(st, string(st.Chain.ID), "code used again")
	}
	ended := *st.Chain
	ended.EndedAt, ended.Ending = s.World.Now(), loop.EndingRevoked
	rec := st.record(ctx, s.World.Now(), audit.CodeReused, byClient(st.Client))
	rec.Detail = audit.Detail{"chain": string(ended.ID)}
	return Change{
		Chain:   &ended,
		Revoke:  []loop.Revocation{NewRevocation(s.World, loop.RevokeChain, string(ended.ID))},
		Records: []audit.Record{rec},
	}
}

// refused counts a genuine credential that was turned away.
func refused(st State, subject, reason string) Change {
	refusal := &audit.Refusal{Event: audit.CredentialRefused, Subject: subject, Reason: reason}
	if st.Member != nil {
		refusal.Member = st.Member.ID
	}
	if st.Client != nil {
		refusal.Client = st.Client.ID
	}
	if st.Grant != nil {
		refusal.Grant = st.Grant.ID
	}
	return Change{Refused: refusal}
}

func byClient(client *loop.Client) audit.Actor {
	if client == nil {
		return audit.Actor{Kind: audit.BySystem}
	}
	return audit.Actor{Kind: audit.ByClient, ID: string(client.ID)}
}
