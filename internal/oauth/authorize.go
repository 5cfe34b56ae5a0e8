package oauth

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// Step is what an authorization request still needs from the member.
type Step int

// The steps, in the order in which they are asked for.
const (
	StepSignIn        Step = iota + 1
	StepChooseAccount      // prompt=select_account
	StepTestMember         // the app's own developer may become a test member
	StepConsent
	StepContinue // consent is remembered, but the app could be anybody
	StepDone     // a code can be issued
)

// firstPartyScopes are those for which Loop's own apps skip the consent page
// (docs/threats.md, 128).
var firstPartyScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail, loop.ScopeReadAccount)

// Progress is how far an authorization request has come.
type Progress struct {
	Began    time.Time // when the request arrived; prompt=login and max_age go by it
	Chosen   bool      // the member has chosen the account
	SignedIn bool      // the member has signed in on the way
	Language string    // that the member chose on the way; empty: none
}

// NextStep says what the request needs now. signIn is nil where nobody is
// signed in. A refusal is an *AuthorizationError that goes to the client.
func (s *Server) NextStep(ctx context.Context, req *AuthorizationRequest, progress Progress, signIn *loop.SignIn) (Step, error) {
	if signIn == nil || s.mustSignInAgain(req, progress, signIn) {
		if req.Prompt.None {
			return 0, req.Refuse(loop.Errorf(loop.LoginRequired, "The member is not signed in as the request needs it. Send the request without prompt=none, so that they can sign in."))
		}
		return StepSignIn, nil
	}
	if _, met := req.met(signIn.Methods); !met {
		return 0, req.Refuse(loop.Errorf(loop.UnmetAuthenticationRequirements, "The member signed in, but not as strongly as the request demands: they may have neither a passkey nor an authenticator app. Ask them to set one up at Loop, then send the request again.").About("acr_values"))
	}
	if req.Hinted != "" && req.Hinted != signIn.Member.ID {
		return 0, req.Refuse(loop.Errorf(loop.LoginRequired, "Another member is signed in than the request names. Have them sign out, or send the request without id_token_hint."))
	}
	if req.Prompt.SelectAccount && !progress.Chosen && signIn.At.Before(progress.Began) {
		return StepChooseAccount, nil
	}
	if err := checkHealthData(req, signIn.Member); err != nil {
		if mayBecomeTest(req, signIn.Member) {
			return StepTestMember, nil
		}
		return 0, err
	}
	grant, err := s.Ledger.LiveGrant(ctx, signIn.Member.ID, req.Client.ID)
	if err != nil {
		return 0, err
	}
	if grant != nil && grant.Over(s.World.Now()) {
		grant = nil
	}
	return s.consentStep(req, req.Client, grant)
}

// mustSignInAgain: prompt=login, max_age and classes of sign-ins are met by a sign-in later than the
// request's beginning; so is a hint that names somebody else.
func (s *Server) mustSignInAgain(req *AuthorizationRequest, progress Progress, signIn *loop.SignIn) bool {
	if !signIn.At.Before(progress.Began) {
		return false
	}
	tooOld := req.MaxAge != nil && !loop.Alive(progress.Began, signIn.At, *req.MaxAge+time.Microsecond)
	_, met := req.met(signIn.Methods)
	return req.Prompt.Login || tooOld || !met || req.Hinted != "" && req.Hinted != signIn.Member.ID
}

// checkHealthData: scopes that open health data need a signed agreement, or a
// test member (docs/scopes.md).
func checkHealthData(req *AuthorizationRequest, member *loop.Member) error {
	phi := req.Scopes.PHI()
	if len(phi) == 0 || req.Client.MaySee(member) {
		return nil
	}
	return req.Refuse(loop.Errorf(loop.InvalidScope,
		"This app is in development: %s works for test members only. Sign in as a test member, or see What production needs in the documentation.", phi).About("scope"))
}

// mayBecomeTest reports whether the member can be offered to become a test member, in
// place of a refusal that only a developer understands: they are the app's own developer,
// and it is in development.
func mayBecomeTest(req *AuthorizationRequest, member *loop.Member) bool {
	return req.Client.Owner == member.ID && req.Client.Mode == loop.Development && !req.Prompt.None
}

// consentStep says whether the member has to be asked; client is the one of the
// request as it is now.
func (s *Server) consentStep(req *AuthorizationRequest, client *loop.Client, grant *loop.Grant) (Step, error) {
	switch {
	case grant != nil && !req.Prompt.Consent && remembered(grant, client, req):
		if !client.CouldBeAnybody(req.RedirectURI) {
			return StepDone, nil
		}
		if req.Prompt.None {
			return 0, req.Refuse(loop.Errorf(loop.InteractionRequired, "Another app on the device could use this client_id, so the member must confirm. Send the request without prompt=none."))
		}
		return StepContinue, nil
	case client.FirstParty && !req.Prompt.Consent && firstPartyScopes.HasAll(req.Scopes):
		return StepDone, nil
	case req.Prompt.None:
		return 0, req.Refuse(loop.Errorf(loop.ConsentRequired, "The member has not allowed this app what it asks for. Send the request without prompt=none, so that they can be asked."))
	default:
		return StepConsent, nil
	}
}

// remembered reports whether the member has answered for all that is asked, by the
// app as it is shown now, and that answer still gives the app what it cannot do
// without.
func remembered(grant *loop.Grant, client *loop.Client, req *AuthorizationRequest) bool {
	return !grant.UpdatedAt.Before(client.ShownSince(req.RedirectURI)) &&
		grant.Covers(req.Scopes) && len(grant.Scopes.And(req.Scopes)) > 0 && grant.Scopes.HasAll(req.Needed())
}

// Needed are the scopes of the request that a member cannot leave out: openid,
// and those that the client marks as required.
func (req *AuthorizationRequest) Needed() loop.Scopes {
	return NeededOf(req.Client, req.Scopes)
}

// Refuse makes an error that is sent to the client.
func (req *AuthorizationRequest) Refuse(e *loop.Error) *AuthorizationError {
	return &AuthorizationError{Fault: e, To: req.answer()}
}

// Authorized is a successful authorization response.
type Authorized struct {
	Answer
	Code string
}

// IssueCode issues a code on a consent that is remembered or not needed. It
// writes its audit record and nothing else, but for the first grant to one of
// Loop's own apps.
func (s *Server) IssueCode(ctx context.Context, req *AuthorizationRequest, signIn *loop.SignIn) (*Authorized, error) {
	return s.authorize(ctx, req, signIn, func(st State) (*loop.Grant, *loop.Receipt, error) {
		step, err := s.consentStep(req, st.Client, st.Grant)
		if err != nil {
			return nil, nil, err
		}
		if step != StepDone && step != StepContinue {
			return nil, nil, req.Refuse(loop.Errorf(loop.ConsentRequired, "The member's consent changed while the request was answered. Send the request again."))
		}
		if st.Grant != nil && remembered(st.Grant, st.Client, req) {
			return st.Grant, nil, nil
		}
		return s.consented(st, req, req.Scopes, nil), nil, nil // Loop's own app: implied
	})
}

// Consent is what a member answered on the consent page.
type Consent struct {
	Shown   loop.Scopes // all that the page showed; nothing else can be granted
	Allowed loop.Scopes // what stayed ticked
	Term    loop.Term
	Page    loop.ConsentPage // as the member read it
}

// Allow takes a member's consent and issues a code for what they allowed.
// Nothing left ticked, or a needed scope left out, is AccessDenied.
func (s *Server) Allow(ctx context.Context, req *AuthorizationRequest, signIn *loop.SignIn, consent Consent) (*Authorized, error) {
	allowed := consent.Allowed.And(consent.Shown).Or(req.Needed())
	if len(consent.Allowed.Or(req.Needed())) == 0 {
		return nil, s.Deny(ctx, req, signIn)
	}
	return s.authorize(ctx, req, signIn, func(st State) (*loop.Grant, *loop.Receipt, error) {
		if !st.Client.UpdatedAt.Equal(req.Client.UpdatedAt) { // the member answered for the app as it was
			return nil, nil, req.Refuse(loop.Errorf(loop.ConsentRequired, "The app's registration changed while the request was answered. Send the request again."))
		}
		grant := s.consented(st, req, allowed, consent.Shown.Without(allowed))
		if err := s.setTerm(grant, consent.Term); err != nil {
			return nil, nil, err
		}
		return grant, s.receipt(grant, consent, allowed), nil
	})
}

// Deny records that the member said no and gives the answer to the client.
func (s *Server) Deny(ctx context.Context, req *AuthorizationRequest, signIn *loop.SignIn) error {
	err := s.decide(ctx, Subject{Member: signIn.Member.ID, Client: req.Client.ID}, func(st State) (Change, error) {
		st.adopt(req.Client)
		rec := st.record(ctx, s.World.Now(), audit.ConsentDenied, byMember(signIn))
		return Change{Completes: req.handleHash(), Records: []audit.Record{rec}}, nil
	})
	if err != nil {
		return err
	}
	return req.Refuse(loop.Errorf(loop.AccessDenied, "The member did not allow it."))
}

// decideGrant says under which grant a code is issued, and what the member was shown
// for it.
type decideGrant func(State) (*loop.Grant, *loop.Receipt, error)

// authorize has consent decide on the grant and issues a code under it, in one
// transaction. A grant whose end has come is ended first, in one of its own: what is
// allowed now is a new grant.
func (s *Server) authorize(ctx context.Context, req *AuthorizationRequest, signIn *loop.SignIn, consent decideGrant) (*Authorized, error) {
	authorized, err := s.authorizeOnce(ctx, req, signIn, consent)
	if errors.Is(err, errOver) {
		return s.authorizeOnce(ctx, req, signIn, consent)
	}
	return authorized, err
}

func (s *Server) authorizeOnce(ctx context.Context, req *AuthorizationRequest, signIn *loop.SignIn, consent decideGrant) (*Authorized, error) {
	var code Code
	subject := Subject{Member: signIn.Member.ID, Client: req.Client.ID}
	err := s.decide(ctx, subject, func(st State) (Change, error) {
		adopted := st.adopt(req.Client)
		if st.Client == nil || st.Client.Standing() != loop.Works || st.Member == nil || st.Member.Suspended {
			return Change{}, req.Refuse(loop.Errorf(loop.AccessDenied, "The app or the member's account was closed while the request was answered."))
		}
		if st.Grant != nil && st.Grant.Over(s.World.Now()) {
			return s.over(ctx, st), errOver
		}
		grant, receipt, err := consent(st)
		if err != nil {
			return Change{}, err
		}
		code = s.newCode(req, signIn, grant)
		change := s.authorization(ctx, signIn, st, grant, code)
		if adopted {
			created := st.record(ctx, s.World.Now(), audit.ClientCreated, byMember(signIn))
			change.Client, change.Records = st.Client, append([]audit.Record{created}, change.Records...)
		}
		change.Receipt = receipt
		change.Completes = req.handleHash()
		// The code is issued after whatever this change revokes.
		code.Counter = st.Counter + uint64(len(change.Revoke))
		return change, nil
	})
	if err != nil {
		return nil, err
	}
	return &Authorized{Answer: *req.answer(), Code: sealCode(s.Ring, code).Reveal()}, nil
}

// handleHash is the name under which a pushed request is stored; nil where it
// was not pushed.
func (req *AuthorizationRequest) handleHash() []byte {
	if req.Handle == "" {
		return nil
	}
	hash := credential.SecretOf(req.Handle).Hash()
	return hash[:]
}

func (s *Server) newCode(req *AuthorizationRequest, signIn *loop.SignIn, grant *loop.Grant) Code {
	authentication := signIn.Authentication
	authentication.Asked, _ = req.met(signIn.Methods)
	return Code{
		ID:             loop.NewChainID(s.World),
		Client:         req.Client.ID,
		RedirectURI:    req.RedirectURI,
		Challenge:      req.Challenge,
		Scopes:         req.Scopes.And(grant.Scopes),
		AskedFor:       req.Names.And(req.Scopes),
		Member:         signIn.Member.ID,
		Grant:          grant.ID,
		Session:        signIn.Session,
		Authentication: authentication,
		Nonce:          req.Nonce,
		IDClaims:       strings.Join(req.IDClaims, " "),
		Resources:      req.Resources,
		Key:            req.Key,
		ExpiresAt:      loop.Earlier(s.World.Now().Add(loop.CodeLife), grant.EndsAt),
	}
}

// authorization is the change that a code brings: the grant, where it is new or
// different, and the records. A grant that lost a scope, or ends sooner than before,
// ends the access tokens issued under it; its app gets others at its next refresh.
func (s *Server) authorization(ctx context.Context, signIn *loop.SignIn, st State, grant *loop.Grant, code Code) Change {
	var change Change
	before := st.Grant
	st.Grant = grant
	if grant != before {
		change.Grant = grant
		event := audit.GrantGiven
		if before != nil {
			event = audit.GrantChanged
			if lost := before.Scopes.Without(grant.Scopes); len(lost) > 0 || endsSooner(before, grant) {
				change.Revoke = append(change.Revoke, NewRevocation(s.World, loop.RevokeGrant, string(grant.ID)))
			}
		}
		if before == nil && !st.Client.FirstParty {
			change.Messages = s.Office.Notice(signIn.Member.ID, mail.AppConnected, st.Client.Name)
		}
		given := st.record(ctx, s.World.Now(), event, byMember(signIn))
		given.Detail = consentDetail(grant)
		change.Records = append(change.Records, given)
	}
	issued := st.record(ctx, s.World.Now(), audit.CodeIssued, byMember(signIn))
	issued.Detail = audit.Detail{"scopes": code.Scopes.String(), "chain": string(code.ID)}
	change.Records = append(change.Records, issued)
	return change
}

// consented is the grant after a member's answer: what was shown is answered
// anew, everything else stays as it was.
func (s *Server) consented(st State, req *AuthorizationRequest, allowed, declined loop.Scopes) *loop.Grant {
	now := s.World.Now()
	shown := allowed.Or(declined)
	if st.Grant == nil {
		return &loop.Grant{
			ID: loop.NewGrantID(s.World), Member: st.Member.ID, Client: req.Client.ID, AppName: req.Client.Name,
			Scopes: allowed, Declined: declined, CreatedAt: now, UpdatedAt: now,
		}
	}
	grant := *st.Grant
	grant.AppName = req.Client.Name
	grant.Scopes = grant.Scopes.Without(shown).Or(allowed)
	grant.Declined = grant.Declined.Without(shown).Or(declined)
	grant.UpdatedAt = now
	return &grant
}

// NewRevocation ends what was issued before it; it is kept for as long as the longest
// token that it can end.
func NewRevocation(w loop.World, kind loop.RevocationKind, id string) loop.Revocation {
	return loop.Revocation{Kind: kind, ID: id, ExpiresAt: w.Now().Add(loop.MaxAccessTokenTTL + loop.CodeLife + time.Minute)}
}

func byMember(signIn *loop.SignIn) audit.Actor {
	return audit.Actor{Kind: audit.ByMember, ID: string(signIn.Member.ID)}
}
