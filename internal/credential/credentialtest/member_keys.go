package credentialtest

import (
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// master is that of all stores of member keys in a test process.
var master = sync.OnceValue(func() *credential.Master {
	master, _ := credential.NewMaster(loop.Machine{})
	return master
})

// OpenMemberKeys opens a store of member keys that this test process made.
func OpenMemberKeys(t testing.TB, store credential.MemberKeyStore, w loop.World) *credential.MemberKeys {
	t.Helper()
	keys, err := credential.OpenMemberKeys(t.Context(), store, w, master())
	if err == nil {
		err = keys.Begin(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
