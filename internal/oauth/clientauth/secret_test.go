package clientauth

import (
	"encoding/base64"
	"errors"
	"net/url"
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

func FuzzBasic(f *testing.F) {
	f.Add("Basic " + base64.StdEncoding.EncodeToString([]byte("client_x:secret_%25")))
	f.Add("basic Og==")
	f.Add("Bearer x")
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, err := parseBasic(header)
		if err != nil {
			if loop.AsError(err).Code != loop.InvalidClient {
				t.Fatalf("%q: %v", header, err)
			}
			return
		}
		again := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(string(id))+":"+url.QueryEscape(secret)))
		if len(again) > maxBasicLength {
			return
		}
		if againID, againSecret, err := parseBasic(again); err != nil || againID != id || againSecret != secret {
			t.Fatalf("%q reads as %q, %q, written again as %q, %q, %v", header, id, secret, againID, againSecret, err)
		}
	})
}

func TestSecret(t *testing.T) {
	t.Parallel()
	a, client, _ := newAuthenticator(t)
	secret := credential.NewSecret(a.World, credential.ClientSecretPrefix)
	another := credential.NewSecret(a.World, credential.ClientSecretPrefix).Reveal()
	client.Protocol.AuthMethod = loop.AuthSecretBasic
	client.Secrets = []loop.ClientSecret{{Hash: secret.Hash(), CreatedAt: a.World.Now()}}
	good, id := secret.Reveal(), string(client.ID)
	basic := func(id, secret string) Request {
		return Request{Authorization: []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}, Form: url.Values{}}
	}
	posted := func(id, secret string) Request {
		return Request{Form: url.Values{"client_id": {id}, "client_secret": {secret}}}
	}
	unknown := string(loop.NewClientID(a.World))
	for name, test := range map[string]struct {
		req  Request
		want error
	}{
		"the secret, by Basic":                               {basic(id, good), nil},
		"the secret, in the form":                            {posted(id, good), nil},
		"another secret":                                     {basic(id, another), ErrInvalid},
		"RFC 6749 §2.3.1 an empty secret is well formed":     {basic(id, ""), errEmptySecret},
		"an empty secret of an unknown client, all the same": {basic(unknown, ""), errEmptySecret},
		"cut short":                {basic(id, good[:len(good)-1]), errNoSecret},
		"one letter changed":       {posted(id, flipped(good)), errNoSecret},
		"what is no secret at all": {basic(id, "password"), errNoSecret},
		"no secret, of an unknown client, all the same": {posted(unknown, "password"), errNoSecret},
		"the secret of an unknown client":               {basic(unknown, good), ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proven, err := a.Authenticate(t.Context(), test.req)
			if !errors.Is(err, test.want) || (proven != nil) != (test.want == nil) {
				t.Errorf("%v, %v", proven, err)
			}
		})
	}
}

// flipped is a text with one letter in the middle of it changed.
func flipped(text string) string {
	at, letter := len(text)/2, "a"
	if text[at] == 'a' {
		letter = "b"
	}
	return text[:at] + letter + text[at+1:]
}
