package oauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/parameter"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// pushedLife is how long the app may take to bring the member here (RFC 9126
// §2.2, FAPI 2.0 Security Profile §5.3.2.2: less than 600 seconds).
const pushedLife = 60 * time.Second

// requestURIPrefix is how every request_uri of ours begins (RFC 9126 §2.2).
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// PushedRequest is an authorization request that its client pushed, checked, and
// kept under the hash of its request_uri.
type PushedRequest struct {
	Hash        [32]byte
	Client      loop.ClientID
	Parameters  url.Values
	Key         string // thumbprint of the DPoP key that the code is to be bound to; empty: none
	ExpiresAt   time.Time
	CompletedAt time.Time // zero: not yet
}

// PushedRequests keeps what was pushed.
type PushedRequests interface {
	// AddPushedRequest stores a request.
	AddPushedRequest(ctx context.Context, pushed *PushedRequest) error
	// PushedRequest reads one; loop.ErrNotFound where there is none.
	PushedRequest(ctx context.Context, hash [32]byte) (*PushedRequest, error)
}

// PushedResponse is the answer to a push (RFC 9126 §2.2).
type PushedResponse struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
}

// clientProof are the parameters that authenticate a client; they are no part of
// the authorization request that comes with them.
var clientProof = []string{"client_secret", "client_assertion", "client_assertion_type"}

// Push takes an authorization request from a client that was authenticated,
// checks all of it and keeps it (RFC 9126 §2.1). A public client may push as it
// may ask for tokens: by its client_id (§2). What is wrong with the request is
// answered here, not in the member's browser.
func (s *Server) Push(ctx context.Context, client *loop.Client, req clientauth.Request) (*PushedResponse, error) {
	raw, err := s.pushedParameters(ctx, client, req.Form)
	if err != nil {
		return nil, err
	}
	key, proof, err := s.pushedKey(req, raw.Parameters)
	if err != nil {
		return nil, err
	}
	handle := credential.NewSecret(s.World, requestURIPrefix)
	raw.Key, raw.Handle = key, handle.Reveal()
	if _, err := s.CheckAuthorizationRequest(ctx, raw); err != nil {
		if refused, ok := errors.AsType[*AuthorizationError](err); ok {
			return nil, refused.Fault
		}
		return nil, err
	}
	err = s.Possession.Once(client, proof, func() error {
		return s.Pushed.AddPushedRequest(ctx, &PushedRequest{
			Hash: handle.Hash(), Client: client.ID, Parameters: raw.Parameters, Key: key, ExpiresAt: s.World.Now().Add(pushedLife),
		})
	})
	return &PushedResponse{RequestURI: raw.Handle, ExpiresIn: int64(pushedLife / time.Second)}, err
}

// pushedParameters reads the authorization request in the form of a push: the
// parameters in it, or those of a request object.
func (s *Server) pushedParameters(ctx context.Context, client *loop.Client, form url.Values) (RawRequest, error) {
	params := maps.Clone(form)
	for _, name := range clientProof {
		params.Del(name)
	}
	params.Set("client_id", string(client.ID))
	if params.Has("request_uri") {
		return RawRequest{}, loop.Errorf(loop.InvalidRequest, "A request_uri cannot be pushed: it is the answer to a push.").About("request_uri")
	}
	if !params.Has("request") {
		return RawRequest{Parameters: params, Unsigned: true}, nil
	}
	signed, err := s.openRequestObject(ctx, client, params.Get("request"))
	return RawRequest{Parameters: signed}, err
}

// pushedKey finds the key that the code will be bound to, with the proof of the
// push, if there is one: that proof's key, or the one that dpop_jkt names; where
// both are there, they are one (RFC 9449 §10.1).
func (s *Server) pushedKey(req clientauth.Request, params url.Values) (string, *possession.Proof, error) {
	named := params.Get("dpop_jkt")
	if len(req.Proofs) == 0 {
		return named, nil, nil
	}
	proof, err := s.Possession.Check(req.Evidence, "")
	if err != nil {
		return "", nil, err
	}
	if named != "" && named != proof.Key {
		return "", nil, possession.Refused("its key is not the one that dpop_jkt names")
	}
	return proof.Key, proof, nil
}

var errBadHandle = loop.Errorf(loop.InvalidRequestURI, "The request_uri is unknown, has expired, was used, or belongs to another app. Push the request again: a request_uri works for 60 seconds and for one authorization.").About("request_uri")

// errAnswered is for a member who answers once more: in a second tab, or by a form that
// was sent twice. The app has the first answer.
var errAnswered = loop.Errorf(loop.InvalidRequestURI, "The member has answered this request already, in another tab or by pressing twice. The app was given that answer.").About("request_uri").Worded("fault.answered")

// openPushed finds a pushed request that can still be answered. Late says that
// the member is already on the way, so that only its completion counts.
func (s *Server) openPushed(ctx context.Context, handle string, late bool) (RawRequest, *PushedRequest, error) {
	if _, ok := credential.Prefix(requestURIPrefix).Parse(handle); !ok {
		return RawRequest{}, nil, errBadHandle
	}
	pushed, err := s.Pushed.PushedRequest(ctx, sha256.Sum256([]byte(handle)))
	if errors.Is(err, loop.ErrNotFound) {
		return RawRequest{}, nil, errBadHandle
	}
	if err != nil {
		return RawRequest{}, nil, err
	}
	if late && !pushed.CompletedAt.IsZero() {
		return RawRequest{}, nil, errAnswered
	}
	if !pushed.CompletedAt.IsZero() || !late && !loop.Alive(s.World.Now(), pushed.ExpiresAt.Add(-pushedLife), pushedLife) {
		return RawRequest{}, nil, errBadHandle
	}
	return RawRequest{Parameters: pushed.Parameters, Handle: handle, Key: pushed.Key}, pushed, nil
}

// Resolve finds the authorization request in what came to the authorization
// endpoint: the parameters themselves, those that were pushed, or those of a
// signed request object. Every refusal is an *AuthorizationError.
func (s *Server) Resolve(ctx context.Context, params url.Values) (RawRequest, error) {
	params = parameter.WithoutEmpty(params)
	switch {
	case strings.HasPrefix(params.Get("request_uri"), requestURIPrefix) && len(params["request_uri"]) == 1:
		return s.resolvePushed(ctx, params)
	case len(params["request"]) == 1 && !params.Has("request_uri"):
		return s.resolveSigned(ctx, params)
	}
	return RawRequest{Parameters: params, Unsigned: true}, nil
}

// resolvePushed: beside client_id, nothing else in the address counts (RFC 9126
// §4). A bad handle is a page: without it nobody knows where to redirect.
func (s *Server) resolvePushed(ctx context.Context, params url.Values) (RawRequest, error) {
	asked, pushed, err := s.openPushed(ctx, params.Get("request_uri"), false)
	if err == nil && (len(params["client_id"]) != 1 || params.Get("client_id") != string(pushed.Client)) {
		err = errBadHandle
	}
	if err != nil {
		return RawRequest{}, &AuthorizationError{Fault: loop.AsError(err)}
	}
	return asked, nil
}
