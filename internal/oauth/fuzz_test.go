package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// register is a ledger for what is checked before anything is decided: it knows
// one client and nobody's grant.
type register struct{ client *loop.Client }

func (r register) Client(_ context.Context, id loop.ClientID) (*loop.Client, error) {
	if id != r.client.ID {
		return nil, loop.ErrNotFound
	}
	return r.client, nil
}

func (register) Member(context.Context, loop.MemberID) (*loop.Member, error) {
	return nil, loop.ErrNotFound
}

func (register) LiveGrant(context.Context, loop.MemberID, loop.ClientID) (*loop.Grant, error) {
	return nil, nil //nolint:nilnil // nobody has allowed anything
}

func (register) LastGrant(context.Context, loop.MemberID, loop.ClientID) (*loop.Grant, error) {
	return nil, nil //nolint:nilnil // nobody has allowed anything
}

func (register) OverGrants(context.Context, time.Time, int) ([]loop.GrantID, error) { return nil, nil }

func (register) Chain(context.Context, loop.MemberID, loop.ChainID) (*loop.Chain, error) {
	return nil, loop.ErrNotFound
}

func (register) Decide(_ context.Context, _ Subject, decide func(State) (Change, error)) error {
	_, err := decide(State{})
	return err
}

// issuer is where the server of these tests would be reached.
const issuer = "https://identity.platform.test"

// newServer is a server with one confidential client and its secret.
func newServer(t testing.TB) (*Server, *loop.Client, string) {
	t.Helper()
	w := loop.Machine{}
	master, _ := credential.NewMaster(w)
	var sealed []credential.Key
	for i, slot := range credential.Slots() {
		key, err := credential.NewKey(w, master, uint32(i)+1, slot, w.Now())
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, key)
	}
	ring, err := credential.NewRing(w, master, sealed)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := credential.OpenSigningKeys(w, master, sealed)
	if err != nil {
		t.Fatal(err)
	}
	secret := credential.NewSecret(w, credential.ClientSecretPrefix)
	client := &loop.Client{
		ID: loop.NewClientID(w), Name: "Morning Labs", Type: loop.Confidential, Enabled: true,
		RedirectURIs:  []loop.RedirectURI{"https://app.example.com/cb"},
		AllowedScopes: loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile), AccessTokenTTL: time.Hour, Mode: loop.Development,
		Secrets: []loop.ClientSecret{{Hash: secret.Hash(), CreatedAt: w.Now()}},
		Protocol: loop.Protocol{
			GrantTypes: []loop.GrantType{loop.GrantAuthorizationCode, loop.GrantRefreshToken}, AuthMethod: loop.AuthSecretBasic,
			Profile: loop.ProfileOAuth, IDTokenAlgorithm: loop.ES256,
		},
	}
	keys, revocations := &clientjwt.Keys{World: w}, NewRevocations()
	checker := &possession.Checker{World: w, Ring: ring, Memory: possession.NewMemory(w.Now())}
	return &Server{
		Endpoints: Endpoints{Issuer: issuer}, World: w, Ring: ring,
		Minter: &Minter{Issuer: issuer, World: w, Ring: ring, Signing: opened}, Forms: Forms{World: w, Ring: ring},
		Ledger: register{client}, Revocations: revocations, ClientKeys: keys, Log: slog.New(slog.DiscardHandler),
		Clients:    &clientauth.Authenticator{Issuer: issuer, TokenURLs: []string{issuer + TokenPath}, World: w, Clients: Refusals{register{client}}, Keys: keys, Log: slog.New(slog.DiscardHandler)},
		Possession: checker,
		Tokens:     &Verifier{Issuer: issuer, World: w, Ring: ring, Signing: opened, Revocations: revocations, Possession: checker},
	}, client, secret.Reveal()
}

func FuzzAuthorizationRequest(f *testing.F) {
	s, client, _ := newServer(f)
	good := "client_id=" + string(client.ID) + "&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&response_type=code&scope=openid&state=x" +
		"&code_challenge=" + strings.Repeat("A", 43) + "&code_challenge_method=S256"
	for _, more := range []string{"", "&prompt=none", "&max_age=1", "&state=y", "&claims=%7B%22id_token%22%3A%7B%22name%22%3Anull%7D%7D", "&response_mode=form_post", "&id_token_hint=x.y.z", "&request=x"} {
		f.Add(good + more)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		req, err := s.CheckAuthorizationRequest(t.Context(), RawRequest{Parameters: params})
		if err != nil {
			refused, ok := errors.AsType[*AuthorizationError](err)
			if !ok || refused.Fault.Code == loop.ServerError {
				t.Fatalf("%q: %v", query, err)
			}
			if refused.To != nil && !client.Registered(refused.To.RedirectURI) {
				t.Fatalf("%q: an error leaves for %s", query, refused.To.RedirectURI)
			}
			return
		}
		if req.RedirectURI != client.RedirectURIs[0] || req.State == "" || req.Challenge == "" || !client.AllowedScopes.HasAll(req.Scopes) || len(req.Scopes) == 0 {
			t.Fatalf("%q passed as %+v", query, req)
		}
		// What the pages carry is the same request.
		c := Continuation{RawRequest: RawRequest{Parameters: params}, Progress: Progress{Began: s.World.Now()}, Browser: "b"}
		carried, err := s.OpenContinuation(t.Context(), s.Forms.SealContinuation(c), []string{"b"})
		if err != nil || carried.Parameters.Encode() != params.Encode() {
			t.Fatalf("%q is carried as %q, %v", query, carried.Parameters.Encode(), err)
		}
	})
}

func FuzzTokenRequest(f *testing.F) {
	s, client, secret := newServer(f)
	who := "client_id=" + string(client.ID) + "&client_secret=" + secret
	f.Add("", who+"&grant_type=authorization_code&code=x&redirect_uri=y&code_verifier="+strings.Repeat("a", 43))
	f.Add("", who+"&grant_type=refresh_token&refresh_token=x&scope=openid")
	f.Add("Basic "+base64.StdEncoding.EncodeToString([]byte(string(client.ID)+":"+secret)), "grant_type=refresh_token")
	f.Fuzz(func(t *testing.T, authorization, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		var headers []string
		if authorization != "" {
			headers = []string{authorization}
		}
		req := clientauth.Request{Evidence: possession.Evidence{Method: "POST", URLs: []string{issuer + TokenPath}}, Authorization: headers, Form: form}
		proven, err := s.Clients.Authenticate(t.Context(), req)
		var tokens *TokenResponse
		if err == nil {
			tokens, err = s.Exchange(t.Context(), proven, req)
		}
		if err == nil || tokens != nil {
			t.Fatalf("%q, %q got tokens", authorization, body)
		}
		if loop.AsError(err).Code == loop.ServerError {
			t.Fatalf("%q, %q: %v", authorization, body, err)
		}
	})
}

func FuzzTokens(f *testing.F) {
	s, client, _ := newServer(f)
	now := s.World.Now()
	member, grant, chain := loop.NewMemberID(s.World), loop.NewGrantID(s.World), loop.NewChainID(s.World)
	f.Add(sealAccessToken(s.Ring, AccessToken{Member: member, Client: client.ID, Grant: grant, Chain: chain, Scopes: client.AllowedScopes, IssuedAt: now, ExpiresAt: now}).Reveal())
	f.Add(sealCode(s.Ring, Code{ID: chain, Client: client.ID, Member: member, Grant: grant, ExpiresAt: now}).Reveal())
	refresh, err := sealRefreshToken(s.Ring, &loop.Chain{ID: chain, Member: member, Generation: 1, KeyID: s.Ring.Newest(credential.ForRefreshTokens)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(refresh.Reveal())
	f.Add(s.Forms.SealContinuation(Continuation{RawRequest: RawRequest{Parameters: url.Values{"a": {"b"}}}, Progress: Progress{Began: now}, Browser: "b"}))
	issued := AccessToken{ID: loop.NewTokenID(s.World), Client: client.ID, Audience: []string{"https://orders.example"}, IssuedAt: now, ExpiresAt: now.Add(time.Hour)}
	jwt, err := s.Minter.signAccessToken(issued)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(jwt)
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := s.Tokens.VerifyJWT(text); err == nil && (token.ID != issued.ID || token.Client != issued.Client) {
			t.Fatalf("%q opens as %+v", text, token)
		}
		_, access := openAccessToken(s.Ring, text)
		_, code := openCode(s.Ring, text)
		_, refresh := openRefreshToken(s.Ring, text)
		for prefix, opened := range map[credential.Prefix]bool{
			credential.AccessTokenPrefix: access, credential.CodePrefix: code, credential.RefreshTokenPrefix: refresh,
		} {
			if opened && !strings.HasPrefix(text, string(prefix)) {
				t.Fatalf("%q opens as %s", text, prefix)
			}
		}
	})
}

func FuzzUnpack(f *testing.F) {
	var p packer
	p.text("hello")
	p.number(-5)
	p.moment(time.UnixMicro(1).UTC())
	f.Add([]byte(p))
	f.Fuzz(func(t *testing.T, packed []byte) {
		u := unpack(packed)
		text, number, moment := u.text(), u.number(), u.moment()
		if !u.done() {
			return
		}
		var again packer
		again.text(text)
		again.number(number)
		again.moment(moment)
		v := unpack(again)
		if v.text() != text || v.number() != number || !v.moment().Equal(moment) || !v.done() {
			t.Fatalf("%x reads as %q, %d, %v, which reads back otherwise", packed, text, number, moment)
		}
	})
}
