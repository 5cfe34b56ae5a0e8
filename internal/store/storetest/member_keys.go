package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// RunMemberKeys runs the suite of the store of member keys; open gives an empty one
// that ends with the test.
func RunMemberKeys(t *testing.T, open func(t *testing.T) (credential.MemberKeyStore, loop.World)) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, credential.MemberKeyStore, loop.World){
		"what was sealed opens after a start, there alone":      opensAfterStart,
		"of many that make a key, all get the same":             makesOneKey,
		"an erased member's keys are gone, and none come again": erasesKeys,
		"only the newest master key opens what was rewrapped":   rewrapsRoot,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, world := open(t)
			test(t, store, world)
		})
	}
}

func openKeys(t *testing.T, store credential.MemberKeyStore, w loop.World, master *credential.Master) *credential.MemberKeys {
	t.Helper()
	keys, err := credential.OpenMemberKeys(t.Context(), store, w, master)
	must(t, err)
	must(t, keys.Begin(t.Context()))
	return keys
}

func opensAfterStart(t *testing.T, store credential.MemberKeyStore, w loop.World) {
	master, _ := credential.NewMaster(w)
	key, err := openKeys(t, store, w, master).Make(t.Context(), anna, credential.ForResults)
	must(t, err)
	sealed := key.Seal(w, "here", []byte("data"))

	keys := openKeys(t, store, w, master)
	again, err := keys.Key(t.Context(), anna, credential.ForResults)
	must(t, err)
	if data, err := again.Open("here", sealed); err != nil || string(data) != "data" {
		t.Errorf("opened %q, %v", data, err)
	}
	if _, err := again.Open("there", sealed); !errors.Is(err, credential.ErrNotSealed) {
		t.Errorf("elsewhere the error is %v", err)
	}
	if _, err := keys.Key(t.Context(), ben, credential.ForResults); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("another member's key: %v", err)
	}
	for _, other := range []struct {
		member loop.MemberID
		use    credential.DataUse
	}{{ben, credential.ForResults}, {anna, credential.ForPerson}} {
		key, err := keys.Make(t.Context(), other.member, other.use)
		must(t, err)
		if _, err := key.Open("here", sealed); !errors.Is(err, credential.ErrNotSealed) {
			t.Errorf("the key of %v opens it: %v", other, err)
		}
	}
}

func makesOneKey(t *testing.T, store credential.MemberKeyStore, w loop.World) {
	master, _ := credential.NewMaster(w)
	openKeys(t, store, w, master) // the first makes the root
	const processes = 8
	made := make([]*credential.DataKey, processes)
	var all sync.WaitGroup
	for i := range made {
		keys := openKeys(t, store, w, master)
		all.Go(func() {
			var err error
			if made[i], err = keys.Make(t.Context(), anna, credential.ForResults); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	sealed := made[0].Seal(w, "here", []byte("data"))
	for _, key := range made {
		if _, err := key.Open("here", sealed); err != nil {
			t.Errorf("one has another key: %v", err)
		}
	}
}

func erasesKeys(t *testing.T, store credential.MemberKeyStore, w loop.World) {
	master, _ := credential.NewMaster(w)
	keys := openKeys(t, store, w, master)
	for _, member := range []loop.MemberID{anna, ben} {
		_, err := keys.Make(t.Context(), member, credential.ForResults)
		must(t, err)
	}
	for range 2 {
		must(t, keys.Erase(t.Context(), anna))
	}
	for name, of := range map[string]*credential.MemberKeys{"the same process": keys, "the next": openKeys(t, store, w, master)} {
		if _, err := of.Key(t.Context(), anna, credential.ForResults); !errors.Is(err, credential.ErrErased) {
			t.Errorf("%s: reading the key: %v", name, err)
		}
		if _, err := of.Make(t.Context(), anna, credential.ForPerson); !errors.Is(err, credential.ErrErased) {
			t.Errorf("%s: making a key: %v", name, err)
		}
		if _, err := of.Key(t.Context(), ben, credential.ForResults); err != nil {
			t.Errorf("%s: another member's key: %v", name, err)
		}
	}
	erased, err := keys.Erased(t.Context())
	must(t, err)
	if len(erased) != 1 || erased[0] != anna {
		t.Errorf("erased are %v", erased)
	}
}

func rewrapsRoot(t *testing.T, store credential.MemberKeyStore, w loop.World) {
	before, _ := credential.NewMaster(w)
	after, _ := credential.NewMaster(w)
	keys := openKeys(t, store, w, before)
	key, err := keys.Make(t.Context(), anna, credential.ForResults)
	must(t, err)
	sealed := key.Seal(w, "here", []byte("data"))
	must(t, keys.AddMaster(t.Context(), after))
	for name, master := range map[string]*credential.Master{"before": before, "after": after} {
		again, err := openKeys(t, store, w, master).Key(t.Context(), anna, credential.ForResults)
		must(t, err)
		if _, err := again.Open("here", sealed); err != nil {
			t.Errorf("in between, under the master key %s: %v", name, err)
		}
	}
	must(t, keys.KeepNewestMaster(t.Context()))
	openKeys(t, store, w, after)
	if _, err := credential.OpenMemberKeys(t.Context(), store, w, before); err == nil {
		t.Error("the old master key opens the store")
	}
}
