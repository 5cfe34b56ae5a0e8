package clientauth

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// secretPost is client_secret_post: id and secret in the form (RFC 6749 §2.3.1).
var secretPost = method{
	presented: func(req Request) bool { return req.Form.Has("client_secret") },
	names:     withoutCredentials.names,
	proves: func(a *Authenticator, _ context.Context, client *loop.Client, req Request) error {
		secret, err := parameter.Single(req.Form, "client_secret")
		if err != nil {
			return err
		}
		return a.provesSecret(client, secret)
	},
}

// secretBasic is client_secret_basic: id and secret by HTTP Basic (RFC 6749
// §2.3.1).
var secretBasic = method{
	presented: func(req Request) bool { return len(req.Authorization) > 0 },
	names: func(req Request) (loop.ClientID, error) {
		id, _, err := parseBasic(req.Authorization[0])
		if err != nil {
			return "", err
		}
		named, err := parameter.Single(req.Form, "client_id")
		if err == nil && named != "" && loop.ClientID(named) != id {
			err = loop.Errorf(loop.InvalidClient, "The client_id in the form is not the one in the Authorization header.").About("client_id")
		}
		return id, err
	},
	proves: func(a *Authenticator, _ context.Context, client *loop.Client, req Request) error {
		_, secret, err := parseBasic(req.Authorization[0])
		if err != nil {
			return err
		}
		if secret == "" && client.Unregistered() && client.Protocol.AuthMethod == loop.AuthNone {
			return nil // a library that knows no other way to name a client without a secret
		}
		return a.provesSecret(client, secret)
	},
}

// What is wrong with a secret in itself, whoever's it is.
var (
	errEmptySecret = loop.Errorf(loop.InvalidClient, "The client_secret is empty. Send the whole secret; a public client has none, and sends its client_id in the form, without an Authorization header.").About("client_secret")
	errNoSecret    = loop.Errorf(loop.InvalidClient, "The client_secret is not a secret of this platform: its last characters, a checksum, don't match the others. Copy it again, from secret_ to its end.").About("client_secret")
)

// provesSecret compares a secret with those that the client holds, whether or
// not there are any: an unknown client costs the same work, and is answered the
// same.
func (a *Authenticator) provesSecret(client *loop.Client, secret string) error {
	_, wellFormed := credential.ClientSecretPrefix.Parse(secret)
	held := client.HoldsSecret(credential.SecretOf(secret).Hash(), a.World.Now())
	switch {
	case secret == "":
		return errEmptySecret
	case !wellFormed:
		return errNoSecret
	case !held || !client.Protocol.AuthMethod.BySecret():
		return ErrInvalid
	}
	return nil
}

// maxBasicLength is beyond any client id and secret of ours.
const maxBasicLength = 1024

// parseBasic reads HTTP Basic credentials. Id and secret are form-urlencoded
// inside the Base64 (RFC 6749 §2.3.1), once.
func parseBasic(header string) (id loop.ClientID, secret string, err error) {
	malformed := loop.Errorf(loop.InvalidClient, "The Authorization header is not well formed. Send Basic and, in Base64, the form-urlencoded client_id and client_secret with a colon between.")
	scheme, encoded, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") || len(encoded) > maxBasicLength {
		return "", "", malformed
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", malformed
	}
	idText, secretText, ok := strings.Cut(string(plain), ":")
	if !ok {
		return "", "", malformed
	}
	decodedID, idErr := url.QueryUnescape(idText)
	decodedSecret, secretErr := url.QueryUnescape(secretText)
	if idErr != nil || secretErr != nil {
		return "", "", malformed
	}
	return loop.ClientID(decodedID), decodedSecret, nil
}
