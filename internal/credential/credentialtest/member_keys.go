package credentialtest

import (
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// OpenMemberKeys opens an empty store of member keys with a master key of its own.
func OpenMemberKeys(t testing.TB, store credential.MemberKeyStore, w loop.World) *credential.MemberKeys {
	t.Helper()
	master, _ := credential.NewMaster(w)
	keys, err := credential.OpenMemberKeys(t.Context(), store, w, master)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
