package platform_test

import (
	"strings"
	"time"
)

// The model says what must be good now, by the promises of the platform's
// documentation alone. It shares no rule with what it judges: where the product
// seals, counts and compares, the model keeps plain records and strikes out in
// them whatever an act ends.

// scopeSet is a set of scopes.
type scopeSet uint8

// The scopes that a history is about.
const (
	openid scopeSet = 1 << iota
	profile
	email
	results

	everything = openid | profile | email | results
)

var scopeNames = map[scopeSet]string{openid: "openid", profile: "profile", email: "email", results: "read:biomarkers"}

// each is the scopes of the set one by one.
func (s scopeSet) each() (single []scopeSet) {
	for scope := openid; scope < everything; scope <<= 1 {
		if s&scope != 0 {
			single = append(single, scope)
		}
	}
	return single
}

func (s scopeSet) names() (names []string) {
	for _, scope := range s.each() {
		names = append(names, scopeNames[scope])
	}
	return names
}

// String is the set as on the wire.
func (s scopeSet) String() string { return strings.Join(s.names(), " ") }

// has reports whether the set holds all of the others.
func (s scopeSet) has(others scopeSet) bool { return others&^s == 0 }

type (
	modelApp struct {
		public  bool          // it keeps ten chains for each member, not one
		rotates bool          // each refresh gives a new refresh token
		grace   time.Duration // in which a refresh may be tried again
		allowed scopeSet
		signed  bool // an agreement lets it see health data of real members
		enabled bool
	}
	modelMember struct{ test, suspended bool }

	modelGrant struct {
		app              *modelApp
		member           *modelMember
		scopes, declined scopeSet
		revoked          bool
	}
	modelCode struct {
		grant     *modelGrant
		scopes    scopeSet
		requested scopeSet
		expiresAt time.Time
		dead      bool        // something that it hangs from ended since
		chain     *modelChain // nil until it is redeemed
	}
	modelChain struct {
		grant    *modelGrant
		scopes   scopeSet
		request  scopeSet // what the authorization asked for, granted or not
		usedAt   time.Time
		ended    bool
		newest   int // the number of its newest refresh token
		rotateAt time.Time
		asked    scopeSet // at its newest rotation
	}
	modelAccess struct {
		chain     *modelChain
		scopes    scopeSet
		expiresAt time.Time
		dead      bool // it, or something that it hangs from, ended since
	}
)

// model is everything that was ever given out, and what has become of it.
type model struct {
	now    time.Time
	grants []*modelGrant
	codes  []*modelCode
	chains []*modelChain
	access []*modelAccess
}

// outcome is how a request ends: by the error's code, or well.
type outcome string

const (
	fine          outcome = ""
	invalidClient outcome = "invalid_client"
	invalidGrant  outcome = "invalid_grant"
	invalidScope  outcome = "invalid_scope"
	accessDenied  outcome = "access_denied"
	signInPage    outcome = "the sign-in page"
	errorPage     outcome = "an error page"
)

// live is the one live grant of a member to an app; nil where there is none.
func (m *model) live(app *modelApp, member *modelMember) *modelGrant {
	for _, grant := range m.grants {
		if grant.app == app && grant.member == member && !grant.revoked {
			return grant
		}
	}
	return nil
}

// covered is what of the scopes still stands under a grant.
func (g *modelGrant) covered(scopes scopeSet) scopeSet {
	scopes &= g.scopes & g.app.allowed
	if !g.member.test && !g.app.signed {
		scopes &^= results
	}
	return scopes
}

func (g *modelGrant) standing() bool { return !g.revoked && !g.member.suspended && g.app.enabled }

// strike ends every code and access token, given out until now, that hangs from
// what is meant.
func (m *model) strike(meant func(*modelGrant) bool) {
	for _, code := range m.codes {
		code.dead = code.dead || meant(code.grant)
	}
	for _, token := range m.access {
		token.dead = token.dead || meant(token.chain.grant)
	}
}

func (m *model) strikeApp(app *modelApp) {
	m.strike(func(g *modelGrant) bool { return g.app == app })
}

// request is an app's request for authorization and what the member makes of it.
type request struct {
	asked, ticked scopeSet
	afresh        bool // prompt=consent
}

// authorize: consent is given, remembered, narrowed or refused (platform
// sections 3 and 4). Shown says that the consent page comes up.
func (m *model) authorize(app *modelApp, member *modelMember, r request) (code *modelCode, shown bool, end outcome) {
	switch {
	case !app.enabled:
		return nil, false, errorPage
	case !app.allowed.has(r.asked):
		return nil, false, invalidScope
	case member.suspended:
		return nil, false, signInPage
	case r.asked&results != 0 && !member.test && !app.signed:
		return nil, false, invalidScope
	}
	grant := m.live(app, member)
	needed := r.asked & openid
	remembered := grant != nil && (grant.scopes | grant.declined).has(r.asked) && grant.scopes&r.asked != 0 && grant.scopes.has(needed)
	if shown = !remembered || r.afresh; shown {
		allowed := r.asked&r.ticked | needed
		if allowed == 0 {
			return nil, true, accessDenied
		}
		grant = m.consent(grant, app, member, allowed, r.asked&^allowed)
	}
	code = &modelCode{grant: grant, scopes: r.asked & grant.scopes, requested: r.asked, expiresAt: m.now.Add(time.Minute)}
	m.codes = append(m.codes, code)
	return code, shown, fine
}

// consent: what was shown is answered anew. What is lost ends every token with
// it, and no chain ever gets it back.
func (m *model) consent(grant *modelGrant, app *modelApp, member *modelMember, allowed, declined scopeSet) *modelGrant {
	if grant == nil {
		grant = &modelGrant{app: app, member: member}
		m.grants = append(m.grants, grant)
	}
	if grant.scopes&declined != 0 {
		m.strike(func(g *modelGrant) bool { return g == grant })
	}
	grant.scopes, grant.declined = grant.scopes&^declined|allowed, grant.declined&^allowed|declined
	for _, chain := range m.chains {
		if chain.grant == grant {
			chain.scopes &= grant.scopes
		}
	}
	return grant
}

// redeem: a code works once, for a minute, for its app with its verifier; a
// second use ends what the first gave (docs/tokens.md).
func (m *model) redeem(code *modelCode, by *modelApp, rightVerifier bool) (*modelAccess, outcome) {
	switch {
	case !by.enabled:
		return nil, invalidClient
	case by != code.grant.app, !rightVerifier:
		return nil, invalidGrant
	case code.chain != nil:
		m.endChain(code.chain)
		return nil, invalidGrant
	case code.dead, !m.now.Before(code.expiresAt), !code.grant.standing():
		return nil, invalidGrant
	}
	scopes := code.grant.covered(code.scopes)
	m.makeRoom(code.grant)
	code.chain = &modelChain{grant: code.grant, scopes: scopes, request: code.requested, usedAt: m.now, newest: 1, rotateAt: m.now, asked: scopes}
	m.chains = append(m.chains, code.chain)
	return m.issue(code.chain, scopes), fine
}

// makeRoom ends the chains that a new one takes the place of. Their access
// tokens run on (docs/tokens.md).
func (m *model) makeRoom(grant *modelGrant) {
	keep := 0
	if grant.app.public {
		keep = 9
	}
	for i := len(m.chains) - 1; i >= 0; i-- {
		if chain := m.chains[i]; chain.grant == grant && !chain.ended {
			keep--
			chain.ended = keep < 0
		}
	}
}

func (m *model) issue(chain *modelChain, scopes scopeSet) *modelAccess {
	token := &modelAccess{chain: chain, scopes: scopes, expiresAt: m.now.Add(time.Hour)}
	m.access = append(m.access, token)
	return token
}

// refreshes reports whether a refresh token can be used at all: its chain, and
// all that the chain hangs from, has not ended.
func (m *model) refreshes(chain *modelChain) bool {
	return !chain.ended && chain.grant.standing() && m.now.Before(chain.usedAt.Add(90*24*time.Hour))
}

// refresh: each refresh token works once. A second use ends the consent, but for
// a retry within the grace period (docs/tokens.md). Asked is 0 where the
// request names no scope; what the authorization asked for and did not get is passed
// over (RFC 6749 §3.3).
func (m *model) refresh(chain *modelChain, number int, by *modelApp, asked scopeSet) (*modelAccess, outcome) {
	if !by.enabled {
		return nil, invalidClient
	}
	if by != chain.grant.app || !m.refreshes(chain) {
		return nil, invalidGrant
	}
	if asked == 0 {
		asked = chain.scopes
	}
	retry := number == chain.newest-1 && m.now.Before(chain.rotateAt.Add(by.grace)) && asked&chain.scopes == chain.asked&chain.scopes
	if by.rotates && number < chain.newest && !retry {
		m.revoke(chain.grant)
		return nil, invalidGrant
	}
	scopes := chain.grant.covered(chain.scopes & asked)
	if !chain.request.has(asked) || scopes == 0 {
		return nil, invalidScope
	}
	if !retry {
		chain.usedAt, chain.rotateAt, chain.asked = m.now, m.now, asked
		chain.newest++
	}
	return m.issue(chain, scopes), fine
}

// endChain ends a chain with its access tokens: by its code's second use, or
// given back (RFC 7009 §2.1).
func (m *model) endChain(chain *modelChain) {
	chain.ended = true
	for _, token := range m.access {
		token.dead = token.dead || token.chain == chain
	}
}

func (m *model) revoke(grant *modelGrant) {
	grant.revoked = true
	m.strike(func(g *modelGrant) bool { return g == grant })
}

// good reports whether an access token works now.
func (m *model) good(token *modelAccess) bool { return !token.dead && m.now.Before(token.expiresAt) }
