package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/test/process"
)

// peer is a client library of somebody else's, as it is published, with a program
// of ours around it that uses it as its documentation says. The program
//
//   - reads the file that its last argument names: registration, as JSON;
//   - says where to send the member, on a line of its own;
//   - reads from standard input, as a line, where the browser was sent back to;
//   - says what it got: outcome, as JSON on one line.
//
// It runs by `loop dev run`, under the platform's real names.
type peer struct {
	name      string
	command   func(t *testing.T, p *platform) []string
	flags     []string                // of `loop client create`
	algorithm jose.SignatureAlgorithm // of its ID tokens
	tokenType string
	pushes    bool // its requests
	keeps     bool // its refresh token stays as it is
}

// fapi2 is how a client of the FAPI 2.0 Security Profile is registered.
var fapi2 = []string{"--token-endpoint-auth-method", "private_key_jwt", "--profile", "fapi2", "--dpop-bound"}

var peers = []peer{
	{
		name: "go-oidc and golang.org/x/oauth2, ID tokens with ES256", command: goOIDC,
		flags: []string{"--id-token-alg", "ES256"}, algorithm: "ES256", tokenType: "Bearer",
	},
	{
		name: "go-oidc and golang.org/x/oauth2, ID tokens with RS256", command: goOIDC,
		flags: []string{"--id-token-alg", "RS256"}, algorithm: "RS256", tokenType: "Bearer",
	},
	{
		name: "go-oidc and golang.org/x/oauth2, a public client: refused with Basic, they try the form", command: goOIDC,
		flags: []string{"--type", "public"}, algorithm: "ES256", tokenType: "Bearer",
	},
	{
		name: "Authlib, client_secret_basic", command: authlib,
		flags: []string{"--token-endpoint-auth-method", "client_secret_basic"}, algorithm: "ES256", tokenType: "Bearer",
	},
	{
		name: "Authlib, private_key_jwt", command: authlib,
		flags: []string{"--token-endpoint-auth-method", "private_key_jwt"}, algorithm: "ES256", tokenType: "Bearer",
	},
	{
		name: "openid-client, PAR of a signed request, DPoP", command: openidClient,
		flags: fapi2, algorithm: "ES256", tokenType: "DPoP", pushes: true, keeps: true,
	},
	{
		name: "Nimbus, FAPI 2.0: PAR, private_key_jwt, DPoP, PKCE", command: nimbus,
		flags: fapi2, algorithm: "ES256", tokenType: "DPoP", pushes: true, keeps: true,
	},
}

func TestOtherPeoplesClientsWorkUnmodified(t *testing.T) {
	p := startPlatform(t, "--domain", domain)
	for _, peer := range peers {
		t.Run(peer.name, func(t *testing.T) {
			command := peer.command(t, p)
			registered := p.register(t, peer)
			program := p.startPeer(t, append(command, writeFile(t, registered)))
			program.visit(t, peer)
			got := program.outcome(t)
			got.noteSecrets(p.secrets)
			got.check(t, peer, registered)
		})
	}
	p.verifyAudit(t)
}

// registration is what a program is given about its client.
type registration struct {
	Issuer      string                  `json:"issuer"`
	Clinical    string                  `json:"clinical"`
	ID          string                  `json:"client_id"`
	Secret      string                  `json:"client_secret,omitempty"`
	Method      string                  `json:"token_endpoint_auth_method"`
	Key         *jose.JSONWebKey        `json:"key,omitempty"` // private; for private_key_jwt
	RedirectURI string                  `json:"redirect_uri"`
	Scope       string                  `json:"scope"`
	Algorithm   jose.SignatureAlgorithm `json:"id_token_signed_response_alg"`
}

// register makes the peer's client, with a key of its own where its flags want
// one. The test reads the address that the redirect URI leads to, and nobody
// listens there.
func (p *platform) register(t *testing.T, peer peer) *registration {
	t.Helper()
	r := &registration{
		Issuer: p.env["LOOP_IDENTITY_URL"], Clinical: p.env["LOOP_CLINICAL_URL"],
		RedirectURI: "https://app.example/callback", Scope: "openid profile read:biomarkers",
		Algorithm: peer.algorithm,
	}
	flags := append([]string{
		"client", "create", "--json", "--name", "Morning Labs", "--redirect-uri", r.RedirectURI, "--scope", r.Scope,
	}, peer.flags...)
	if slices.Contains(flags, "private_key_jwt") {
		r.Key = newSigningKey(t)
		flags = append(flags, "--jwks-file", writeFile(t, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{r.Key.Public()}}))
	}
	out, complaint, status := p.loop(t, flags...)
	if status != 0 {
		t.Fatalf("loop %s: status %d: %s", strings.Join(flags, " "), status, complaint)
	}
	if err := json.Unmarshal([]byte(out), r); err != nil {
		t.Fatal(err)
	}
	p.secrets.saw("client secret", r.Secret)
	return r
}

func newSigningKey(t *testing.T) *jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &jose.JSONWebKey{Key: key, KeyID: "app-1", Algorithm: "ES256", Use: "sig"}
}

// writeFile writes the value as JSON into a file of its own and gives its path.
func writeFile(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// peerProgram is a peer's program that runs.
type peerProgram struct {
	*process.Process
	platform *platform
	input    io.WriteCloser
}

func (p *platform) startPeer(t *testing.T, command []string) *peerProgram {
	t.Helper()
	cmd := p.command(t, append([]string{"dev", "run", "--"}, command...)...)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return &peerProgram{Process: process.Start(t, cmd), platform: p, input: input}
}

// visit takes the member where the program says, through sign-in and consent, and
// gives the program the address that it led to.
func (p *peerProgram) visit(t *testing.T, peer peer) {
	t.Helper()
	address, err := url.Parse(p.AwaitLine(t, p.Stdout, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	if want := p.platform.env["LOOP_IDENTITY_URL"] + "/v1/oauth/authorize?" + address.RawQuery; address.String() != want {
		t.Errorf("the member is sent to %s, want %s", address, want)
	}
	request := address.Query()
	if pushed := len(request) == 2 && request.Has("client_id") && request.Has("request_uri"); pushed != peer.pushes {
		t.Errorf("the browser carries %v; the request was pushed: %t, want %t", slices.Sorted(maps.Keys(request)), pushed, peer.pushes)
	}
	back := p.platform.visitor(t).signInAndAnswer(t, request, "allow")
	if _, err := io.WriteString(p.input, back.String()+"\n"); err != nil {
		t.Fatal(err)
	}
}

// outcome is what a program got, in the end.
type outcome struct {
	Claims    peerClaims `json:"claims"` // of the ID token, as the library verified it
	UserInfo  peerClaims `json:"userinfo"`
	First     peerTokens `json:"first"`
	Refreshed peerTokens `json:"refreshed"`
}

type peerClaims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Nonce   string `json:"nonce"`
	Name    string `json:"name"`
}

// peerTokens are tokens, and how many lab results they opened.
type peerTokens struct {
	Access     string `json:"access_token"`
	Refresh    string `json:"refresh_token"`
	ID         string `json:"id_token"`
	Type       string `json:"token_type"`
	Scope      string `json:"scope"`
	Biomarkers int    `json:"biomarkers"`
}

func (p *peerProgram) outcome(t *testing.T) *outcome {
	t.Helper()
	if status := p.Wait(t); status != 0 {
		t.Fatalf("the program ended with status %d", status)
	}
	var got outcome
	if err := json.Unmarshal([]byte(p.AwaitLine(t, p.Stdout, "{")), &got); err != nil {
		t.Fatal(err)
	}
	return &got
}

func (o *outcome) noteSecrets(s *secrets) {
	for _, tokens := range []peerTokens{o.First, o.Refreshed} {
		s.saw("access token", tokens.Access)
		s.saw("refresh token", tokens.Refresh)
		s.saw("ID token", tokens.ID)
	}
	s.saw("nonce", o.Claims.Nonce)
}

// check holds what the program got to what its client was registered for.
func (o *outcome) check(t *testing.T, peer peer, registered *registration) {
	t.Helper()
	if _, err := jose.ParseSignedCompact(o.First.ID, []jose.SignatureAlgorithm{peer.algorithm}); err != nil {
		t.Errorf("the ID token is not signed with %s: %v", peer.algorithm, err)
	}
	if o.Claims.Issuer != registered.Issuer || o.Claims.Nonce == "" {
		t.Errorf("the ID token says %+v", o.Claims)
	}
	if !strings.HasPrefix(o.Claims.Subject, "user_") || o.UserInfo.Subject != o.Claims.Subject || o.UserInfo.Name == "" {
		t.Errorf("userinfo says %+v, the ID token %+v", o.UserInfo, o.Claims)
	}
	for when, got := range map[string]peerTokens{"the code": o.First, "the refresh": o.Refreshed} {
		if !strings.EqualFold(got.Type, peer.tokenType) || got.Scope != registered.Scope || got.Biomarkers < 20 {
			t.Errorf("%s gave a %s token for %q, which opened %d results", when, got.Type, got.Scope, got.Biomarkers)
		}
	}
	if o.Refreshed.Access == o.First.Access {
		t.Error("the refresh gave the same access token")
	}
	if kept := o.Refreshed.Refresh == o.First.Refresh; kept != peer.keeps {
		t.Errorf("the refresh token stayed the same: %t, want %t", kept, peer.keeps)
	}
}

// program is the path of a file beneath peers/.
func program(t *testing.T, path ...string) string {
	t.Helper()
	absolute, err := filepath.Abs(filepath.Join(append([]string{"peers"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}

// goOIDC builds the program and says how it is called.
func goOIDC(t *testing.T, _ *platform) []string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "go-oidc")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./peers/go-oidc").CombinedOutput(); err != nil {
		t.Fatalf("building peers/go-oidc: %v\n%s", err, out)
	}
	return []string{binary}
}

// authlib runs the program with the Python that has what the tests' apps import.
func authlib(t *testing.T, _ *platform) []string {
	t.Helper()
	return []string{needPython(t, "authlib, joserfc, requests"), program(t, "authlib", "app.py")}
}

// openidClient runs the program beside the modules that scripts/test fetched:
// Node looks for them where the program is. Node 18, Debian 12's, has Web
// Cryptography by a flag that later ones ignore.
func openidClient(t *testing.T, _ *platform) []string {
	t.Helper()
	modules := needFolder(t, "LOOP_TEST_NODE_MODULES", "node", "Node.js with openid-client")
	folder := t.TempDir()
	copyOf(t, program(t, "openid-client", "app.mjs"), folder)
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return []string{"node", "--experimental-global-webcrypto", filepath.Join(folder, "app.mjs")}
}

// nimbus runs the source with the libraries that scripts/test fetched.
func nimbus(t *testing.T, _ *platform) []string {
	t.Helper()
	jars := needFolder(t, "LOOP_TEST_JARS", "java", "Java with Nimbus's libraries")
	return []string{"java", "-cp", filepath.Join(jars, "*"), program(t, "nimbus", "Nimbus.java")}
}
