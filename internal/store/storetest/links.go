package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/outbox"
)

// links are the parts of the contract for links in mails and for what they change of
// a member.
var links = map[string]func(*testing.T, *fixture){
	"a link reads as it was written, and comes with its message": readsLink,
	"a link is used once, by one of many":                        usesLinkOnce,
	"a link that makes an account makes one":                     linkMakesOneAccount,
	"a new password ends sessions and other links, of one alone": newPassword,
	"of two members who take an address, one has it":             takesAddress,
}

// link stores a link about the member.
func (f *fixture) link(t *testing.T, n byte, purpose member.LinkPurpose, of loop.MemberID) *member.Link {
	t.Helper()
	now := f.world.Now()
	l := &member.Link{Hash: [32]byte{n}, Purpose: purpose, Member: of, Content: []byte("sealed"), Browser: [32]byte{n, n}, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	must(t, f.store.AddLink(t.Context(), l, nil, f.record()))
	return l
}

// hasLink checks whether a link is there to be used.
func (f *fixture) hasLink(t *testing.T, l *member.Link, want bool) {
	t.Helper()
	found, err := f.store.Link(t.Context(), l.Hash)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		t.Fatal(err)
	}
	if got := err == nil && found.UsedAt.IsZero(); got != want {
		t.Errorf("the link %d can be used: %t, want %t", l.Hash[0], got, want)
	}
}

// altering changes a member in an act that brings about what done says.
func (f *fixture) altering(t *testing.T, id loop.MemberID, done member.Change, alter func(*loop.Member)) error {
	t.Helper()
	done.Records = []audit.Record{f.record()}
	return f.store.ChangeMember(t.Context(), id, silent, func(m *loop.Member) (member.Change, error) {
		alter(m)
		return done, nil
	})
}

func unaltered(*loop.Member) {}

func readsLink(t *testing.T, f *fixture) {
	now := f.world.Now()
	want := &member.Link{Hash: [32]byte{1}, Purpose: member.ToSignUp, Content: []byte{0, 1, 2}, Browser: [32]byte{7}, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	message := outbox.Message{ID: "mail/1", Kind: "mail", Destination: "smtp", Payload: []byte("sealed"), DueAt: now}
	must(t, f.store.AddLink(t.Context(), want, []outbox.Message{message}, f.record()))
	got, err := f.store.Link(t.Context(), want.Hash)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it differs (-written +found):\n%s", diff)
	}
	claimed, err := f.store.ClaimDeliveries(t.Context(), outbox.Claim{Kind: "mail", Now: now, Until: now.Add(time.Minute), AtMost: 10, PerDestination: 10})
	must(t, err)
	if len(claimed) != 1 || claimed[0].ID != message.ID {
		t.Errorf("its messages are %v", claimed)
	}
	if _, err := f.store.Link(t.Context(), [32]byte{2}); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("a link that never was: %v", err)
	}
	must(t, f.store.Sweep(t.Context(), want.ExpiresAt))
	f.hasLink(t, want, false)
}

func usesLinkOnce(t *testing.T, f *fixture) {
	l := f.link(t, 1, member.ToProveAddress, f.member.ID)
	var (
		all  sync.WaitGroup
		used atomic.Int64
	)
	for range 20 {
		all.Go(func() {
			err := f.altering(t, f.member.ID, member.Change{UsesLink: &member.LinkUse{Hash: l.Hash, At: f.world.Now()}}, func(m *loop.Member) { m.EmailVerified = true })
			if err == nil {
				used.Add(1)
			} else if !errors.Is(err, member.ErrLinkUsed) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if used.Load() != 1 {
		t.Errorf("it was used %d times", used.Load())
	}
	got, err := f.store.Link(t.Context(), l.Hash)
	must(t, err)
	if got.UsedAt.IsZero() || len(got.Content) > 0 {
		t.Errorf("it was used at %v, and says %q", got.UsedAt, got.Content)
	}
	never := member.Change{UsesLink: &member.LinkUse{Hash: [32]byte{9}, At: f.world.Now()}}
	if err := f.altering(t, f.member.ID, never, func(m *loop.Member) { m.Notice = "changed" }); !errors.Is(err, member.ErrLinkUsed) {
		t.Errorf("a link that never was: %v", err)
	}
	if m, err := f.store.Member(t.Context(), f.member.ID); err != nil || m.Notice == "changed" {
		t.Errorf("a link that never was changed the member: %+v, %v", m, err)
	}
}

func linkMakesOneAccount(t *testing.T, f *fixture) {
	l := f.link(t, 1, member.ToSignUp, "")
	use := &member.LinkUse{Hash: l.Hash, At: f.world.Now()}
	for i, want := range []error{nil, member.ErrLinkUsed} {
		m := *f.member
		m.ID, m.Email = loop.NewMemberID(f.world), loop.Email([]string{"first@members.example", "second@members.example"}[i])
		if err := f.store.AddMember(t.Context(), &m, "hash", use, f.record()); !errors.Is(err, want) {
			t.Errorf("use %d: %v", i+1, err)
		}
	}
	taken := f.link(t, 2, member.ToSignUp, "")
	m := *f.member
	m.ID = loop.NewMemberID(f.world)
	if err := f.store.AddMember(t.Context(), &m, "hash", &member.LinkUse{Hash: taken.Hash, At: f.world.Now()}, f.record()); !errors.Is(err, member.ErrAddressTaken) {
		t.Errorf("an address that is taken: %v", err)
	}
	f.hasLink(t, taken, true)
}

func newPassword(t *testing.T, f *fixture) {
	other := f.addMember(t, "grace@members.example")
	mine, kept, theirs := f.session(t, 1, f.member, [32]byte{}), f.session(t, 2, f.member, [32]byte{}), f.session(t, 3, other, [32]byte{})
	reset, address, theirReset := f.link(t, 1, member.ToResetPassword, f.member.ID), f.link(t, 2, member.ToProveAddress, f.member.ID), f.link(t, 3, member.ToResetPassword, other.ID)
	since := f.world.Now()
	must(t, f.altering(t, f.member.ID, member.Change{PasswordHash: "another", EndsLinks: []member.LinkPurpose{member.ToResetPassword}, EndsSessions: true, Keeps: kept.Hash}, func(m *loop.Member) { m.DevicesSince = since }))
	f.hasSession(t, mine, false)
	f.hasSession(t, kept, true)
	f.hasSession(t, theirs, true)
	f.hasLink(t, reset, false)
	f.hasLink(t, address, true)
	f.hasLink(t, theirReset, true)
	m, hash, err := f.store.Account(t.Context(), f.member.Email)
	must(t, err)
	if hash != "another" || !m.DevicesSince.Equal(since) {
		t.Errorf("the hash is %q, and browsers are known since %v", hash, m.DevicesSince)
	}
	if _, hash, err := f.store.Account(t.Context(), other.Email); err != nil || hash == "another" {
		t.Errorf("the other's hash is %q, %v", hash, err)
	}
}

func takesAddress(t *testing.T, f *fixture) {
	other := f.addMember(t, "grace@members.example")
	take := func(id loop.MemberID) error {
		return f.altering(t, id, member.Change{PasswordHash: "written"}, func(m *loop.Member) { m.Email, m.EmailVerified = "new@members.example", true })
	}
	must(t, take(f.member.ID))
	if err := take(other.ID); !errors.Is(err, member.ErrAddressTaken) {
		t.Errorf("the second: %v", err)
	}
	got, _, err := f.store.Account(t.Context(), "new@members.example")
	must(t, err)
	if got.ID != f.member.ID || !got.EmailVerified {
		t.Errorf("the address has %+v", got)
	}
	if _, hash, err := f.store.Account(t.Context(), other.Email); err != nil || hash == "written" {
		t.Errorf("of a change that was refused, the hash %q was written, %v", hash, err)
	}
	must(t, f.altering(t, f.member.ID, member.Change{}, unaltered)) // one's own address is no conflict
}
