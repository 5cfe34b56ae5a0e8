package clientauth

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// Clients finds clients, and counts what was refused to them.
type Clients interface {
	// Client reads a client; loop.ErrNotFound where there is none, InvalidClient where
	// its metadata document makes none. All callers share it, and none may alter it.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
	// RecordRefusal counts a genuine credential that was turned away.
	RecordRefusal(ctx context.Context, refusal audit.Refusal) error
}

// Authenticator proves clients. It is safe for concurrent use.
type Authenticator struct {
	Issuer    string   // identity's public URL, byte for byte
	TokenURLs []string // under which the token endpoint is reached

	World      loop.World
	Clients    Clients
	Assertions Assertions
	Keys       *clientjwt.Keys
	// Authorities are those whose certificates tls_client_auth takes; nil: none.
	Authorities *x509.CertPool
	Log         *slog.Logger
}

// method is one way for a client to prove who it is.
type method struct {
	// presented reports whether the request tries this way.
	presented func(Request) bool
	// names reads which client the request says it comes from.
	names func(Request) (loop.ClientID, error)
	// proves reports whether the request proves it. An unknown client comes as
	// one that has registered nothing, so that it costs the same work.
	proves func(a *Authenticator, ctx context.Context, client *loop.Client, req Request) error
}

// methods is where a further method is registered. The order matters to nobody:
// a request that tries two is refused.
func methods() []method {
	return []method{secretBasic, secretPost, privateKeyJWT}
}

// withoutCredentials is what a request tries that presents none of its own in
// header or form: a certificate, or nothing, as public clients do.
var withoutCredentials = method{
	names: func(req Request) (loop.ClientID, error) {
		id, err := parameter.Single(req.Form, "client_id")
		if err == nil && id == "" {
			err = loop.Errorf(loop.InvalidClient, "The client_id is missing. Send it in the form, or with the secret as HTTP Basic.").About("client_id")
		}
		return loop.ClientID(id), err
	},
	proves: func(a *Authenticator, ctx context.Context, client *loop.Client, req Request) error {
		switch {
		case client.Protocol.AuthMethod.ByCertificate():
			return a.provesCertificate(ctx, client, req.Certificates)
		case client.Protocol.AuthMethod == loop.AuthNone:
			return nil
		}
		return ErrInvalid
	},
}

// ErrInvalid is all that a client learns whose proof does not hold.
var ErrInvalid = loop.Errorf(loop.InvalidClient, "The client could not be authenticated. Check client_id and the secret, assertion or certificate that it registered; a rotated secret works for 24 hours only.")

// Authenticate proves the client of a request before anything else of it is
// looked at (RFC 6749 §3.2.1). Unknown, disabled, a wrong proof and a proof by
// another method than the registered one are all InvalidClient; two proofs are
// InvalidRequest.
func (a *Authenticator) Authenticate(ctx context.Context, req Request) (*loop.Client, error) {
	tried, err := presentedMethod(req)
	if err != nil {
		return nil, err
	}
	id, err := tried.names(req)
	if err != nil {
		return nil, err
	}
	client, err := a.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := tried.proves(a, ctx, client, req); err != nil {
		return nil, err
	}
	if standing := client.Standing(); standing != loop.Works {
		a.countStopped(ctx, client, standing)
		return nil, loop.Errorf(loop.InvalidClient, "%s", standing.Explain())
	}
	return client, parameter.NoDuplicates(req.Form)
}

// presentedMethod finds the one way in which the request authenticates (RFC
// 6749 §2.3: never more than one).
func presentedMethod(req Request) (method, error) {
	if len(req.Authorization) > 1 {
		return method{}, loop.Errorf(loop.InvalidRequest, "There is more than one Authorization header. Send one.")
	}
	found := withoutCredentials
	tried := 0
	for _, one := range methods() {
		if one.presented(req) {
			found = one
			tried++
		}
	}
	if tried > 1 {
		return method{}, loop.Errorf(loop.InvalidRequest, "The client authenticated in more than one way. Use the Authorization header, client_secret or client_assertion, one of them.")
	}
	return found, nil
}

// find reads the client; one that is not there, or whose id has not even the form
// of one, comes as a client that registered nothing.
func (a *Authenticator) find(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	unknown := &loop.Client{Type: loop.Confidential}
	if !id.Valid() {
		return unknown, nil
	}
	client, err := a.Clients.Client(ctx, id)
	if errors.Is(err, loop.ErrNotFound) {
		return unknown, nil
	}
	return client, err
}

// countStopped counts that a genuine credential of a client that does not work was
// turned away. It is turned away whether or not that could be counted.
func (a *Authenticator) countStopped(ctx context.Context, client *loop.Client, standing loop.Standing) {
	err := a.Clients.RecordRefusal(ctx, audit.Refusal{Event: audit.CredentialRefused, Subject: string(client.ID), Reason: string(standing), Client: client.ID})
	if err != nil {
		a.Log.ErrorContext(ctx, "counting a refusal", "cause", err)
	}
}
