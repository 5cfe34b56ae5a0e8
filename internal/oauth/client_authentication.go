package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// clientCredentials are what a request to the token endpoint says of its client
// (RFC 6749 §2.3.1).
type clientCredentials struct {
	id     loop.ClientID
	secret string // empty: none sent
}

var errInvalidClient = loop.Errorf(loop.InvalidClient, "The client could not be authenticated. Check client_id and client_secret; a rotated secret works for 24 hours only.")

// readClientCredentials takes the client's credentials from the Authorization
// headers or the form, never from both.
func readClientCredentials(authorization []string, form url.Values) (clientCredentials, error) {
	id, err := single(form, "client_id")
	if err != nil {
		return clientCredentials{}, err
	}
	secret, err := single(form, "client_secret")
	if err != nil {
		return clientCredentials{}, err
	}
	switch {
	case len(authorization) > 1:
		return clientCredentials{}, loop.Errorf(loop.InvalidRequest, "There is more than one Authorization header. Send one.")
	case len(authorization) == 0 && id == "":
		return clientCredentials{}, loop.Errorf(loop.InvalidClient, "The client_id is missing.").About("client_id")
	case len(authorization) == 0:
		return clientCredentials{loop.ClientID(id), secret}, nil
	case form.Has("client_secret"):
		return clientCredentials{}, loop.Errorf(loop.InvalidRequest, "The client authenticated twice: by the Authorization header and by client_secret. Use one way.").About("client_secret")
	}
	basic, err := parseBasic(authorization[0])
	if err != nil {
		return clientCredentials{}, err
	}
	if id != "" && loop.ClientID(id) != basic.id {
		return clientCredentials{}, loop.Errorf(loop.InvalidClient, "The client_id in the form is not the one in the Authorization header.").About("client_id")
	}
	return basic, nil
}

// maxBasicLength is beyond any client id and secret of ours.
const maxBasicLength = 1024

// parseBasic reads HTTP Basic credentials. Id and secret are form-urlencoded
// inside the Base64 (RFC 6749 §2.3.1), once.
func parseBasic(header string) (clientCredentials, error) {
	malformed := loop.Errorf(loop.InvalidClient, "The Authorization header is not well formed. Send Basic and, in Base64, the form-urlencoded client_id and client_secret with a colon between.")
	scheme, encoded, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") || len(encoded) > maxBasicLength {
		return clientCredentials{}, malformed
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return clientCredentials{}, malformed
	}
	id, secret, ok := strings.Cut(string(plain), ":")
	if !ok {
		return clientCredentials{}, malformed
	}
	decodedID, idErr := url.QueryUnescape(id)
	decodedSecret, secretErr := url.QueryUnescape(secret)
	if idErr != nil || secretErr != nil || decodedSecret == "" {
		return clientCredentials{}, malformed
	}
	return clientCredentials{loop.ClientID(decodedID), decodedSecret}, nil
}

// authenticate proves the client. Unknown, disabled, wrong secret and a public
// client that sends one are all InvalidClient.
func (s *Server) authenticate(ctx context.Context, sent clientCredentials) (*loop.Client, error) {
	client, err := s.clientByID(ctx, sent.id)
	if errors.Is(err, loop.ErrNotFound) {
		client, err = &loop.Client{Type: loop.Confidential}, nil // the same work as for a wrong secret
	}
	if err != nil {
		return nil, err
	}
	proven := client.Type == loop.Public && sent.secret == ""
	if client.Type == loop.Confidential {
		_, wellFormed := credential.ClientSecretPrefix.Parse(sent.secret)
		proven = client.HoldsSecret(credential.SecretOf(sent.secret).Hash(), s.World.Now()) && wellFormed
	}
	if !proven {
		return nil, errInvalidClient
	}
	if !client.Enabled {
		s.refuseDisabled(ctx, client)
		return nil, loop.Errorf(loop.InvalidClient, "This app is disabled. Its developer can enable it in the developer portal.")
	}
	return client, nil
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
