package sqlite

import (
	"errors"
	"runtime"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

func TestClientCache_WithinATransaction(t *testing.T) {
	t.Parallel()
	type fixture struct {
		*identityUnderTest
		id             loop.ClientID
		before, behind string // what decisions in the transaction found
	}
	for name, test := range map[string]struct {
		acts func(f *fixture) []func(*Tx) error
		want string // afterwards
		// What the decision before and the one behind the change find.
		before, behind string
	}{
		"an act behind a change sees the new client": {
			want: "new", before: "old", behind: "new",
			acts: func(f *fixture) []func(*Tx) error {
				return []func(*Tx) error{f.decision(f.id, &f.before), f.change(f.id, "new", nil), f.decision(f.id, &f.behind)}
			},
		},
		"an act behind a change that was undone sees the old client": {
			want: "old", before: "old", behind: "old",
			acts: func(f *fixture) []func(*Tx) error {
				return []func(*Tx) error{f.decision(f.id, &f.before), f.change(f.id, "new", errOfAct), f.decision(f.id, &f.behind)}
			},
		},
		"of two changes the second counts": {
			want: "newer", before: "new", behind: "newer",
			acts: func(f *fixture) []func(*Tx) error {
				return []func(*Tx) error{f.change(f.id, "new", nil), f.decision(f.id, &f.before), f.change(f.id, "newer", nil), f.decision(f.id, &f.behind)}
			},
		},
		"of two changes the one that was undone does not count": {
			want: "new", before: "new", behind: "new",
			acts: func(f *fixture) []func(*Tx) error {
				return []func(*Tx) error{f.change(f.id, "new", nil), f.decision(f.id, &f.before), f.change(f.id, "newer", errOfAct), f.decision(f.id, &f.behind)}
			},
		},
		"a change in a transaction that is undone as a whole has never been": {
			want: "old", before: "old", behind: "new",
			acts: func(f *fixture) []func(*Tx) error {
				ends := func(tx *Tx) error { return tx.control("ROLLBACK") }
				return []func(*Tx) error{f.decision(f.id, &f.before), f.change(f.id, "new", nil), f.decision(f.id, &f.behind), ends}
			},
		},
		"a change alone in its transaction that fails has never been": {
			want: "old",
			acts: func(f *fixture) []func(*Tx) error { return []func(*Tx) error{f.change(f.id, "new", errOfAct)} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{identityUnderTest: openIdentity(t)}
			f.id = f.addClient(t)
			f.sees(t, f.id, "old")
			f.together(t, test.acts(f)...)
			if f.before != test.before || f.behind != test.behind {
				t.Errorf("in the transaction decisions see %q and %q, want %q and %q", f.before, f.behind, test.before, test.behind)
			}
			f.sees(t, f.id, test.want)
		})
	}
}

func TestClientCache_AClientThatWasNotAddedInTheEndIsNotThere(t *testing.T) {
	t.Parallel()
	s := openIdentity(t)
	c := s.newClient("new")
	added, found := make(chan error, 1), ""
	release := s.hold(t)
	go func() { added <- s.AddClient(t.Context(), c, registration.Terms{}, s.record()) }()
	for len(s.db.writer.queue) == 0 {
		runtime.Gosched()
	}
	s.queue(t, s.decision(c.ID, &found))
	s.queue(t, func(tx *Tx) error { return tx.control("ROLLBACK") })
	release()
	if err := <-added; err == nil || found != "new" {
		t.Errorf("it is answered %v, and the decision behind it sees %q", err, found)
	}
	if c, err := s.Client(t.Context(), c.ID); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("a reader sees %+v, %v", c, err)
	}
}

func TestClientCache_AReaderDoesNotPutTheOldClientBack(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, s *identityUnderTest, id loop.ClientID){
		"the change begins and ends while it reads": func(t *testing.T, s *identityUnderTest, id loop.ClientID) {
			must(t, s.ChangeClient(t.Context(), id, registration.Terms{}, s.rename("new")))
		},
		"two changes do": func(t *testing.T, s *identityUnderTest, id loop.ClientID) {
			must(t, s.ChangeClient(t.Context(), id, registration.Terms{}, s.rename("newer")))
			must(t, s.ChangeClient(t.Context(), id, registration.Terms{}, s.rename("new")))
		},
		"the new one is held before it is done": func(t *testing.T, s *identityUnderTest, id loop.ClientID) {
			must(t, s.ChangeClient(t.Context(), id, registration.Terms{}, s.rename("new")))
			s.sees(t, id, "new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openIdentity(t)
			id := s.addClient(t)
			c, err := s.cache.Client(id, func() (store.RevisedClient, error) {
				old, err := tables.ScanClient(s.db.QueryRowContext(t.Context(), selectClient, id))
				change(t, s, id)
				return store.RevisedClient{Client: old}, err
			})
			if err != nil || c.Name != "old" {
				t.Errorf("the reader is given %+v, %v", c, err)
			}
			s.sees(t, id, "new")
		})
	}
	t.Run("it reads between a change and its commit", func(t *testing.T) {
		t.Parallel()
		s := openIdentity(t)
		id := s.addClient(t)
		s.together(t, s.change(id, "new", nil), func(*Tx) error {
			if c, err := s.Client(t.Context(), id); err != nil || c.Name != "old" {
				t.Errorf("before the commit a reader sees %+v, %v", c, err)
			}
			return nil
		})
		s.sees(t, id, "new")
	})
}

func TestClientCache_AClientThatDoesNotExistIsNotHeld(t *testing.T) {
	t.Parallel()
	s := openIdentity(t)
	id := loop.NewClientID(s.world)
	if c, err := s.Client(t.Context(), id); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("got %+v, %v", c, err)
	}
	must(t, s.Decide(t.Context(), oauth.Subject{Client: id}, func(st oauth.State) (oauth.Change, error) {
		if st.Client != nil {
			t.Errorf("a decision finds %+v", st.Client)
		}
		return oauth.Change{}, nil
	}))
	if held := s.cache.Len(); held > 0 {
		t.Errorf("it holds %d clients", held)
	}
}
