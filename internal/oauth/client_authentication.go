package oauth

import (
	"context"
	"crypto/x509"
	"errors"
	"net/url"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// ClientRequest is what an app sends to an endpoint that is meant for apps: the
// token endpoint, PAR, introspection, revocation.
type ClientRequest struct {
	Method        string // of HTTP
	Path          string // of the endpoint, such as /v1/oauth/token
	Authorization []string
	Proofs        []string            // the values of the DPoP header
	Certificates  []*x509.Certificate // that the connection's other end proved, leaf first
	Form          url.Values
}

// authenticationMethod is one way for a client to prove who it is.
type authenticationMethod struct {
	// presented reports whether the request tries this way.
	presented func(ClientRequest) bool
	// names reads which client the request says it comes from.
	names func(ClientRequest) (loop.ClientID, error)
	// proves reports whether the request proves it. An unknown client comes as
	// one that has registered nothing, so that it costs the same work.
	proves func(s *Server, ctx context.Context, client *loop.Client, req ClientRequest) error
}

// authenticationMethods is where a further method is registered. The order
// matters to nobody: a request that tries two is refused.
func authenticationMethods() []authenticationMethod {
	return []authenticationMethod{secretBasic, secretPost, privateKeyJWT}
}

// otherwise is what a request tries that presents no credentials of its own in
// header or form: a certificate, or nothing, as public clients do.
var otherwise = authenticationMethod{
	names: func(req ClientRequest) (loop.ClientID, error) {
		id, err := single(req.Form, "client_id")
		if err == nil && id == "" {
			err = loop.Errorf(loop.InvalidClient, "The client_id is missing. Send it in the form, or with the secret as HTTP Basic.").About("client_id")
		}
		return loop.ClientID(id), err
	},
	proves: func(s *Server, ctx context.Context, client *loop.Client, req ClientRequest) error {
		switch {
		case client.Protocol.AuthMethod.ByCertificate():
			return s.provesCertificate(ctx, client, req.Certificates)
		case client.Protocol.AuthMethod == loop.AuthNone:
			return nil
		}
		return errInvalidClient
	},
}

var errInvalidClient = loop.Errorf(loop.InvalidClient, "The client could not be authenticated. Check client_id and the secret, assertion or certificate that it registered; a rotated secret works for 24 hours only.")

// Authenticate proves the client of a request before anything else of it is
// looked at (RFC 6749 §3.2.1). Unknown, disabled, a wrong proof and a proof by
// another method than the registered one are all InvalidClient; two proofs are
// InvalidRequest.
func (s *Server) Authenticate(ctx context.Context, req ClientRequest) (*loop.Client, error) {
	method, err := presentedMethod(req)
	if err != nil {
		return nil, err
	}
	id, err := method.names(req)
	if err != nil {
		return nil, err
	}
	client, err := s.clientByID(ctx, id)
	if errors.Is(err, loop.ErrNotFound) {
		client, err = &loop.Client{Type: loop.Confidential}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := method.proves(s, ctx, client, req); err != nil {
		return nil, err
	}
	if !client.Enabled {
		s.refuseDisabled(ctx, client)
		return nil, loop.Errorf(loop.InvalidClient, "This app is disabled. Its developer can enable it in the developer portal.")
	}
	return client, noDuplicates(req.Form)
}

// presentedMethod finds the one way in which the request authenticates (RFC
// 6749 §2.3: never more than one).
func presentedMethod(req ClientRequest) (authenticationMethod, error) {
	if len(req.Authorization) > 1 {
		return authenticationMethod{}, loop.Errorf(loop.InvalidRequest, "There is more than one Authorization header. Send one.")
	}
	found := otherwise
	tried := 0
	for _, method := range authenticationMethods() {
		if method.presented(req) {
			found = method
			tried++
		}
	}
	if tried > 1 {
		return authenticationMethod{}, loop.Errorf(loop.InvalidRequest, "The client authenticated in more than one way. Use the Authorization header, client_secret or client_assertion, one of them.")
	}
	return found, nil
}

// refuseDisabled counts that a genuine credential of a disabled client was
// turned away. The refusal stands whether or not it could be counted.
func (s *Server) refuseDisabled(ctx context.Context, client *loop.Client) {
	err := s.Ledger.Decide(ctx, Subject{Client: client.ID}, func(State) (Change, error) {
		return Change{Refused: &audit.Refusal{Event: audit.CredentialRefused, Subject: string(client.ID), Reason: "client disabled", Client: client.ID}}, nil
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "counting a refusal", "cause", err)
	}
}
