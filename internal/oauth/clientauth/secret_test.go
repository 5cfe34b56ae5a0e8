package clientauth

import (
	"encoding/base64"
	"net/url"
	"testing"

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
