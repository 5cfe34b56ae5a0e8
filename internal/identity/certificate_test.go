package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// mutualHost is where clients with a certificate reach identity, behind a proxy
// that hands the certificate on.
const mutualHost = "mtls.identity.platform.test"

// certificate is a certificate with its key.
type certificate struct {
	*x509.Certificate
	key crypto.Signer
}

// issue has an authority sign a certificate; by nobody, it signs itself.
func issue(t *testing.T, by *certificate, template *x509.Certificate) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = &certificate{template, key}
	}
	template.SerialNumber = big.NewInt(1)
	der, err := x509.CreateCertificate(rand.Reader, template, by.Certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &certificate{leaf, key}
}

// forClient is the template of a client's certificate that is good now.
func forClient(p *platformtest.Platform) *x509.Certificate {
	now := p.World.Now()
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: "morning"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// behindProxy is a platform whose proxy hands on certificates of this authority.
func behindProxy(t *testing.T, authority *certificate) *platformtest.Platform {
	t.Helper()
	return platformtest.NewWith(t, func(c *platform.Config) {
		c.IdentityCertificate = &url.URL{Scheme: "https", Host: mutualHost}
		c.CertificateHeader, c.TrustedProxies = "Client-Cert", []netip.Prefix{netip.MustParsePrefix(platformtest.Peer + "/32")}
		c.ClientAuthorities = x509.NewCertPool()
		if authority != nil {
			c.ClientAuthorities.AddCert(authority.Certificate)
		}
	})
}

// newAuthority makes an authority that is good for years around the platform's.
func newAuthority(t *testing.T) *certificate {
	t.Helper()
	now := time.Now()
	return issue(t, nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: "an authority"}, NotBefore: now.AddDate(-50, 0, 0), NotAfter: now.AddDate(50, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
}

// sendOver posts a form on a connection that brought the certificate; nil: none.
func sendOver(t *testing.T, p *platformtest.Platform, with *certificate, path string, form url.Values) *platformtest.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, platformtest.Identity+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = mutualHost
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if with != nil {
		req.Header.Set("Client-Cert", ":"+base64.StdEncoding.EncodeToString(with.Raw)+":")
	}
	return p.NewBrowser(t).Do(req)
}

// redemption is the form that redeems a code of the app.
func redemption(app *platformtest.App, code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {string(app.ID)}, "code": {code},
		"redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
	}
}

// refreshing is the form that refreshes a token of the app.
func refreshing(app *platformtest.App, token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {string(app.ID)}, "refresh_token": {token}}
}

// Nothing but the certificate proves who refreshes for a public client.
func TestRefresh_RFC8705_4_APublicClientsTokenIsBoundToItsCertificate(t *testing.T) {
	t.Parallel()
	p := behindProxy(t, nil)
	ada := p.AddMember(t, "Ada")
	app := p.AddApp(t, func(c *loop.Client) { c.Type, c.Protocol.CertificateBound = loop.Public, true })
	own, thiefs := issue(t, nil, forClient(p)), issue(t, nil, forClient(p))

	first := sendOver(t, p, own, "/v1/oauth/token", redemption(app, app.Code(p.NewBrowser(t), ada))).Pair(t)
	refused(t, sendOver(t, p, thiefs, "/v1/oauth/token", refreshing(app, first.Refresh)), http.StatusBadRequest, "invalid_grant")
	refused(t, sendOver(t, p, nil, "/v1/oauth/token", refreshing(app, first.Refresh)), http.StatusBadRequest, "invalid_request")
	sendOver(t, p, own, "/v1/oauth/token", refreshing(app, first.Refresh)).Pair(t)
}

// A retry within the grace period is one with the same certificate.
func TestRefresh_ARetryWithAnotherCertificateIsAReuse(t *testing.T) {
	t.Parallel()
	p := behindProxy(t, nil)
	ada := p.AddMember(t, "Ada")
	own, next := issue(t, nil, forClient(p)), issue(t, nil, forClient(p))
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: own.PublicKey}, {Key: next.PublicKey}}})
	if err != nil {
		t.Fatal(err)
	}
	app := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.KeySet, c.Protocol.CertificateBound, c.RefreshGrace = loop.AuthSelfSignedTLS, keys, true, 30*time.Second
	})
	first := sendOver(t, p, own, "/v1/oauth/token", redemption(app, app.Code(p.NewBrowser(t), ada))).Pair(t)
	second := sendOver(t, p, own, "/v1/oauth/token", refreshing(app, first.Refresh)).Pair(t)
	again := sendOver(t, p, own, "/v1/oauth/token", refreshing(app, first.Refresh)).Pair(t)
	if again.Refresh != second.Refresh {
		t.Error("a retry has another successor")
	}
	third := sendOver(t, p, next, "/v1/oauth/token", refreshing(app, second.Refresh)).Pair(t) // a rotated certificate
	refused(t, sendOver(t, p, own, "/v1/oauth/token", refreshing(app, second.Refresh)), http.StatusBadRequest, "invalid_grant")
	refused(t, sendOver(t, p, next, "/v1/oauth/token", refreshing(app, third.Refresh)), http.StatusBadRequest, "invalid_grant")
}

func TestAuthenticate_RFC8705_2_ACertificateIsGoodNowAndForItsClient(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	p := behindProxy(t, authority)
	now := p.World.Now()
	named := p.AddApp(t, func(c *loop.Client) { c.Protocol.AuthMethod, c.Protocol.TLSSubjectDN = loop.AuthTLS, "CN=morning" })
	byDNS := p.AddApp(t, func(c *loop.Client) { c.Protocol.AuthMethod, c.Protocol.TLSSANDNS = loop.AuthTLS, "client.example" })
	bySecret := p.AddApp(t, nil)
	altered := func(alter func(*x509.Certificate)) *certificate {
		template := forClient(p)
		alter(template)
		return issue(t, authority, template)
	}
	good := altered(func(*x509.Certificate) {})
	for name, c := range map[string]struct {
		app  *platformtest.App
		with *certificate
	}{
		"expired":                       {named, altered(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) })},
		"not yet":                       {named, altered(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })},
		"for servers":                   {named, altered(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
		"of another authority":          {named, issue(t, newAuthority(t), forClient(p))},
		"of nobody":                     {named, issue(t, nil, forClient(p))},
		"of another name":               {named, altered(func(c *x509.Certificate) { c.Subject.CommonName = "Morning" })},
		"of a longer name":              {named, altered(func(c *x509.Certificate) { c.Subject.Organization = []string{"x"} })},
		"a name that reads like two":    {named, altered(func(c *x509.Certificate) { c.Subject.CommonName = "x,CN=morning" })},
		"the DNS name as common name":   {byDNS, altered(func(c *x509.Certificate) { c.Subject.CommonName = "client.example" })},
		"a wildcard over the DNS name":  {byDNS, altered(func(c *x509.Certificate) { c.DNSNames = []string{"*.example"} })},
		"the DNS name as mail address":  {byDNS, altered(func(c *x509.Certificate) { c.EmailAddresses = []string{"client.example"} })},
		"none":                          {named, nil},
		"by a client that has a secret": {bySecret, good},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sendOver(t, p, c.with, "/v1/oauth/revoke", url.Values{"client_id": {string(c.app.ID)}, "token": {"x"}})
			refused(t, r, http.StatusUnauthorized, "invalid_client")
		})
	}
	t.Run("and a good one is", func(t *testing.T) {
		t.Parallel()
		form := url.Values{"client_id": {string(named.ID)}, "token": {"x"}}
		if r := sendOver(t, p, good, "/v1/oauth/revoke", form); r.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s", r.StatusCode, r.Text)
		}
		both := maps.Clone(form)
		both.Set("client_secret", bySecret.Secret)
		refused(t, sendOver(t, p, good, "/v1/oauth/revoke", both), http.StatusUnauthorized, "invalid_client")
	})
}

// The token endpoint has two addresses, and an app knows it by the one it uses.
func TestAuthenticate_RFC8705_5_AnAssertionMayNameTheAliasOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	p := behindProxy(t, nil)
	app := p.AddKeyApp(t, nil)
	strict := p.AddKeyApp(t, func(c *loop.Client) { c.Protocol.Profile, c.Protocol.CertificateBound = loop.ProfileFAPI2, true })
	asserted := func(app *platformtest.App) *platformtest.Response {
		claims := app.AssertionClaims()
		claims["aud"] = "https://" + mutualHost + "/v1/oauth/token"
		return sendOver(t, p, nil, "/v1/oauth/revoke", url.Values{
			"client_assertion_type": {platformtest.AssertionType}, "client_assertion": {app.Key.Sign("JWT", claims)}, "token": {"x"},
		})
	}
	if r := asserted(app); r.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", r.StatusCode, r.Text)
	}
	refused(t, asserted(strict), http.StatusUnauthorized, "invalid_client")
}

// What discovery adds where certificates are asked for is held to requests, as the
// rest of it is in TestDiscovery_EveryValueWorks.
func TestDiscovery_RFC8705_EveryValueWorks(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	p := behindProxy(t, authority)
	ada := p.AddMember(t, "Ada")
	document := metadata(t, p)
	b := p.NewBrowser(t)
	own := issue(t, authority, forClient(p))
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: own.PublicKey}}})
	if err != nil {
		t.Fatal(err)
	}
	apps := map[string]*platformtest.App{
		"tls_client_auth": p.AddApp(t, func(c *loop.Client) {
			c.Protocol.AuthMethod, c.Protocol.TLSSubjectDN, c.Protocol.CertificateBound = loop.AuthTLS, "CN=morning", true
		}),
		"self_signed_tls_client_auth": p.AddApp(t, func(c *loop.Client) {
			c.Protocol.AuthMethod, c.Protocol.KeySet, c.Protocol.CertificateBound = loop.AuthSelfSignedTLS, keys, true
		}),
	}
	aliases, _ := document["mtls_endpoint_aliases"].(map[string]any)
	at := func(t *testing.T, name string) string {
		t.Helper()
		address, _ := aliases[name].(string)
		path, found := strings.CutPrefix(address, "https://"+mutualHost)
		if !found {
			t.Fatalf("%s is %q", name, address)
		}
		return path
	}
	for _, endpoint := range []string{"token", "introspection", "revocation"} {
		for method := range apps {
			if !slices.Contains(advertised(document, endpoint+"_endpoint_auth_methods_supported"), method) {
				t.Errorf("%s is not offered at the %s endpoint", method, endpoint)
			}
		}
	}
	if document["tls_client_certificate_bound_access_tokens"] != true || len(aliases) != 5 {
		t.Errorf("it says %v, %v", document["tls_client_certificate_bound_access_tokens"], aliases)
	}
	for method, app := range apps {
		t.Run(method, func(t *testing.T) {
			form := with(app.Request(), "scope", "openid")
			pushed := sendOver(t, p, own, at(t, "pushed_authorization_request_endpoint"), form).JSON(t)
			handle, _ := pushed["request_uri"].(string)
			code := b.Allow(with(byHandle(app, handle), "scope", "openid"), ada).Query().Get("code")
			tokens := sendOver(t, p, own, at(t, "token_endpoint"), redemption(app, code)).Pair(t)
			asked := url.Values{"client_id": {string(app.ID)}, "token": {tokens.Access}}
			introspected := active(t, sendOver(t, p, own, at(t, "introspection_endpoint"), asked))
			sum := sha256.Sum256(own.Raw)
			if cnf, _ := introspected["cnf"].(map[string]any); cnf["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
				t.Errorf("RFC 8705 §3.2: cnf is %v", introspected["cnf"])
			}
			form = url.Values{"access_token": {tokens.Access}}
			if r := sendOver(t, p, own, at(t, "userinfo_endpoint"), form); r.StatusCode != http.StatusOK {
				t.Errorf("userinfo: %d %s", r.StatusCode, r.Text)
			}
			for name, other := range map[string]*certificate{"another certificate": issue(t, authority, forClient(p)), "none": nil} {
				if r := sendOver(t, p, other, at(t, "userinfo_endpoint"), form); r.StatusCode != http.StatusUnauthorized {
					t.Errorf("userinfo with %s: %d", name, r.StatusCode)
				}
			}
			if r := sendOver(t, p, own, at(t, "revocation_endpoint"), asked); r.StatusCode != http.StatusOK {
				t.Errorf("revocation: %d %s", r.StatusCode, r.Text)
			}
			inactive(t, sendOver(t, p, own, at(t, "introspection_endpoint"), asked))
		})
	}
}

// Members have no business where browsers ask for a certificate.
func TestPages_RFC8705_5_NoneIsServedWhereCertificatesAreAskedFor(t *testing.T) {
	t.Parallel()
	p := behindProxy(t, nil)
	app := p.AddApp(t, nil)
	at := func(host, path string) *platformtest.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformtest.Identity+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		return p.NewBrowser(t).Do(req)
	}
	public := strings.TrimPrefix(platformtest.Identity, "https://")
	for _, path := range []string{"/v1/oauth/authorize?" + app.Request().Encode(), "/v1/oauth/logout", "/signin", "/signup", "/signed-out", "/"} {
		if r := at(mutualHost, path); r.StatusCode != http.StatusNotFound || len(r.Cookies()) > 0 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
		if r := at(public, path); r.StatusCode == http.StatusNotFound {
			t.Errorf("%s is not there at all", path)
		}
	}
	if r := at(mutualHost, "/v1/oauth/userinfo"); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", r.StatusCode)
	}
}

// A client that publishes its keys changes its certificate without asking anybody.
func TestAuthenticate_RFC8705_2_2_2_ANewCertificateWorksSoon(t *testing.T) {
	t.Parallel()
	p := platformtest.NewWith(t, func(c *platform.Config) {
		c.IdentityCertificate, c.FetchHosts = &url.URL{Scheme: "https", Host: mutualHost}, []string{"127.0.0.1"}
		c.CertificateHeader, c.TrustedProxies = "Client-Cert", []netip.Prefix{netip.MustParsePrefix(platformtest.Peer + "/32")}
	})
	publish := func(certificate *certificate) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: certificate.PublicKey, KeyID: "the one"}}})
		}
	}
	server := newKeyServer(t)
	first, second := issue(t, nil, forClient(p)), issue(t, nil, forClient(p))
	server.answers(publish(first))
	app := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.KeySetURI = loop.AuthSelfSignedTLS, server.URL+"/jwks.json"
	})
	asks := func(with *certificate) int {
		return sendOver(t, p, with, "/v1/oauth/revoke", url.Values{"client_id": {string(app.ID)}, "token": {"x"}}).StatusCode
	}
	if asks(first) != http.StatusOK || asks(second) != http.StatusUnauthorized {
		t.Fatal("the published certificate is not the one that works")
	}
	server.answers(publish(second))
	p.World.Advance(time.Minute)
	if asks(second) != http.StatusOK || asks(first) != http.StatusUnauthorized {
		t.Error("a minute later the new one is not the one that works")
	}
	before := server.asked.Load()
	for range 20 {
		asks(first)
	}
	if asked := server.asked.Load() - before; asked > 1 {
		t.Errorf("20 requests with an old one have the keys fetched %d times", asked)
	}
}
