package oauth

import (
	"context"
	"net/url"
	"slices"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// LogoutRequest is an app's request to sign the member out (OpenID Connect
// RP-Initiated Logout §2) that has been checked.
type LogoutRequest struct {
	Parameters  url.Values
	Client      *loop.Client     // nil: nobody in particular asks
	Member      loop.MemberID    // of the ID token that came as a hint; empty: none
	Session     loop.SessionID   // of the same
	RedirectURI loop.RedirectURI // proven by hint and registration; empty: a page of ours ends it
	State       string
}

// CheckLogout checks the parameters of a logout request. A hint that is not ours,
// and a redirect URI that is not registered, are refusals that end in a page. An
// expired ID token is a valid hint while its key is known.
func (s *Server) CheckLogout(ctx context.Context, params url.Values) (*LogoutRequest, error) {
	if err := parameter.NoDuplicates(params); err != nil {
		return nil, err
	}
	req := &LogoutRequest{Parameters: params}
	clientID := params.Get("client_id")
	if hint := params.Get("id_token_hint"); hint != "" {
		claims, err := s.Minter.openIDToken(hint)
		if err != nil || clientID != "" && clientID != claims.Audience {
			return nil, loop.Errorf(loop.InvalidRequest, "The id_token_hint is not an ID token that Loop issued to this app. Send one that this app was given, or none.").About("id_token_hint")
		}
		clientID = claims.Audience
		req.Member, req.Session = loop.MemberID(claims.Subject), loop.SessionID(claims.Session)
	}
	if clientID != "" {
		client, err := s.findClient(ctx, url.Values{"client_id": {clientID}})
		if err != nil {
			return nil, loop.AsError(err)
		}
		req.Client = client
	}
	return req, readLogoutRedirect(req, params)
}

// readLogoutRedirect reads where the app wants the member back. Without a hint
// nobody has shown that the member ever used the app, so that nothing redirects
// (OpenID Connect RP-Initiated Logout §3).
func readLogoutRedirect(req *LogoutRequest, params url.Values) error {
	asked := loop.RedirectURI(params.Get("post_logout_redirect_uri"))
	if asked == "" || req.Member == "" {
		return nil
	}
	for _, registered := range req.Client.Protocol.PostLogoutRedirectURIs {
		if registered == asked {
			req.RedirectURI, req.State = asked, params.Get("state")
			return nil
		}
	}
	return loop.Errorf(loop.InvalidRequest, "The post_logout_redirect_uri is not registered for this app. It must equal a registered one, character by character.").About("post_logout_redirect_uri")
}

// Trusted reports whether the request may end the member's session without
// asking: it brings an ID token of just that session, or there is none to end.
func (r *LogoutRequest) Trusted(signIn *loop.SignIn) bool {
	if signIn == nil {
		return r.Member != ""
	}
	return r.Member == signIn.Member.ID && r.Session == signIn.Session
}

// Location is where the member goes when it is done: the app's address with the
// state that it sent and nothing else; empty: a page of ours.
func (r *LogoutRequest) Location() string {
	if r.RedirectURI == "" {
		return ""
	}
	if r.State == "" {
		return string(r.RedirectURI)
	}
	return r.RedirectURI.With(url.Values{"state": {r.State}})
}

// SealLogout carries a logout request through the page that asks the member.
func (f Forms) SealLogout(r *LogoutRequest, browser string) string {
	var p packer
	p.text("logout")
	p.text(r.Parameters.Encode())
	p.text(browser)
	p.moment(f.World.Now())
	return f.sealer(credential.ForContinuations).Seal(p)
}

// OpenLogout reads what SealLogout wrote for the same browser, and checks the
// request afresh.
func (s *Server) OpenLogout(ctx context.Context, text string, browsers []string) (*LogoutRequest, error) {
	u, ok := unseal(s.Ring, credential.ForContinuations, text)
	if !ok || u.text() != "logout" {
		return nil, errLost
	}
	params, err := url.ParseQuery(u.text())
	owner, madeAt := u.text(), u.moment()
	if err != nil || !u.done() || !slices.Contains(browsers, owner) || !loop.Alive(s.World.Now(), madeAt, loop.ContinuationLife) {
		return nil, errLost
	}
	return s.CheckLogout(ctx, params)
}
