// Package credentialtest makes key rings for tests of single rooms.
package credentialtest

import (
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// NewRing makes a ring of new keys, one for each purpose.
func NewRing(t testing.TB) *credential.Ring {
	t.Helper()
	w := loop.Machine{}
	master, _ := credential.NewMaster(w)
	var keys []credential.Key
	for i, purpose := range credential.Purposes() {
		key, err := credential.NewKey(w, master, uint32(i)+1, credential.Slot{Purpose: purpose}, w.Now())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	ring, err := credential.NewRing(w, master, keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// NewTagger makes a tagger of a ring of its own.
func NewTagger(t testing.TB) credential.Tagger {
	t.Helper()
	return credential.Tagger{Ring: NewRing(t), Purpose: credential.ForPages, Label: t.Name()}
}
