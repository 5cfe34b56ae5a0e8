package platform_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// keySet reads the published keys, by algorithm.
func keySet(t *testing.T, p *platformtest.Platform) map[string][]jose.JSONWebKey {
	t.Helper()
	r := p.NewBrowser(t).Get(platformtest.Identity + "/.well-known/jwks.json")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(r.Text), &set); err != nil {
		t.Fatalf("%v: %s", err, r.Text)
	}
	byAlgorithm := map[string][]jose.JSONWebKey{}
	for _, key := range set.Keys {
		if !key.IsPublic() || key.KeyID == "" || key.Use != "sig" {
			t.Errorf("published: %s", r.Text)
		}
		byAlgorithm[key.Algorithm] = append(byAlgorithm[key.Algorithm], key)
	}
	return byAlgorithm
}

func TestKeys_AStartMakesTheOnesThatAreMissing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	before := keySet(t, p)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	change(t, p, "identity.db", `DELETE FROM keys WHERE algorithm IN ('EdDSA', 'RS256', 'PS256')`)
	p.Open(t)
	after := keySet(t, p)
	for _, algorithm := range []string{"ES256", "EdDSA", "RS256", "PS256"} {
		if len(after[algorithm]) != 1 {
			t.Errorf("%d keys of %s", len(after[algorithm]), algorithm)
		}
	}
	if after["ES256"][0].KeyID != before["ES256"][0].KeyID {
		t.Error("the key that was there is gone")
	}
	if err := p.Run(t, "audit", "verify"); err != nil {
		t.Error(err)
	}
}
