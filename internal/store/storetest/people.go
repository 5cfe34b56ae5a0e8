package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/signin"
)

// people are the parts of the contract for members and their sign-ins.
var people = map[string]func(*testing.T, *fixture){
	"a member reads as they were written":                  readsMember,
	"a change of a member is whole or not at all":          changesMember,
	"a session reads as it was written, and as it is used": readsSession,
	"a session that starts in another's place ends it":     replacesSession,
	"a suspension ends the sessions of one member":         suspensionEndsSessions,
}

// addMember adds another member.
func (f *fixture) addMember(t *testing.T, email loop.Email) *loop.Member {
	t.Helper()
	m := *f.member
	m.ID, m.Email = loop.NewMemberID(f.world), email
	must(t, f.store.AddMember(t.Context(), &m, "hash of "+string(email), nil, f.record()))
	return &m
}

// session starts a sign-in of a member, in place of the one with the hash.
func (f *fixture) session(t *testing.T, hash byte, of *loop.Member, ends [32]byte) *signin.Session {
	t.Helper()
	now := f.world.Now()
	s := &signin.Session{Hash: [32]byte{hash}, ID: loop.NewSessionID(f.world), Member: of.ID, Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, SeenAt: now, ExpiresAt: now.Add(time.Hour)}
	must(t, f.store.StartSession(t.Context(), signin.Start{Session: *s, Ends: ends}, silent, f.record()))
	return s
}

// hasSession checks whether a sign-in is there.
func (f *fixture) hasSession(t *testing.T, s *signin.Session, want bool) {
	t.Helper()
	_, err := f.store.Session(t.Context(), s.Hash)
	if want && err != nil || !want && !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("the session %s is there or not: want %t, got %v", s.ID, want, err)
	}
}

// change alters a member in an act that ends with err.
func (f *fixture) change(t *testing.T, id loop.MemberID, err error, alter func(*loop.Member)) error {
	t.Helper()
	return f.store.ChangeMember(t.Context(), id, silent, func(m *loop.Member) (member.Change, error) {
		alter(m)
		return member.Change{Records: []audit.Record{f.record()}}, err
	})
}

func readsMember(t *testing.T, f *fixture) {
	want := *f.member
	want.ID, want.Email = loop.NewMemberID(f.world), "grace@members.example"
	want.EmailVerified, want.Name, want.Locale, want.Sex, want.Test = true, "Grace Ōta", "de", loop.Female, true
	want.BornOn = time.Date(1906, 12, 9, 0, 0, 0, 0, time.UTC)
	must(t, f.store.AddMember(t.Context(), &want, "the hash", nil, f.record()))
	byID, err := f.store.Member(t.Context(), want.ID)
	must(t, err)
	byAddress, hash, err := f.store.Account(t.Context(), want.Email)
	must(t, err)
	for how, got := range map[string]*loop.Member{"by id": byID, "by address": byAddress} {
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s, they differ (-written +found):\n%s", how, diff)
		}
	}
	if hash != "the hash" {
		t.Errorf("the hash of the password is %q", hash)
	}
	if _, err := f.store.Member(t.Context(), "user_none"); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("a member who never was: %v", err)
	}
	if _, _, err := f.store.Account(t.Context(), "nobody@members.example"); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("an address of nobody: %v", err)
	}
}

func changesMember(t *testing.T, f *fixture) {
	want := *f.member
	want.Notice, want.Locale, want.Test, want.UpdatedAt = "A notice.", "de", !f.member.Test, f.world.Now()
	alter := func(m *loop.Member) {
		m.Notice, m.Locale, m.Test, m.UpdatedAt = want.Notice, want.Locale, want.Test, want.UpdatedAt
	}
	if err := f.change(t, f.member.ID, errRefused, alter); !errors.Is(err, errRefused) {
		t.Errorf("a change that is refused: %v", err)
	}
	f.findsMember(t, f.member)
	must(t, f.change(t, f.member.ID, nil, alter))
	f.findsMember(t, &want)
	if err := f.change(t, "user_none", nil, alter); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("a member who never was: %v", err)
	}
}

func (f *fixture) findsMember(t *testing.T, want *loop.Member) {
	t.Helper()
	got, err := f.store.Member(t.Context(), want.ID)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the member differs (-want +found):\n%s", diff)
	}
}

func readsSession(t *testing.T, f *fixture) {
	want := f.session(t, 1, f.member, [32]byte{})
	want.SeenAt = want.SeenAt.Add(time.Minute)
	must(t, f.store.TouchSession(t.Context(), want))
	got, err := f.store.Session(t.Context(), want.Hash)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("it differs (-written +found):\n%s", diff)
	}
	gone := *want
	gone.Hash = [32]byte{2}
	must(t, f.store.TouchSession(t.Context(), &gone)) // one that ended in the meantime
	f.hasSession(t, &gone, false)
}

func replacesSession(t *testing.T, f *fixture) {
	first := f.session(t, 1, f.member, [32]byte{})
	other := f.session(t, 2, f.addMember(t, "grace@members.example"), [32]byte{})
	second := f.session(t, 3, f.member, first.Hash)
	f.hasSession(t, first, false)
	f.hasSession(t, second, true)
	f.hasSession(t, other, true)

	again := *second // under another secret, it goes on
	again.Hash = [32]byte{4}
	must(t, f.store.StartSession(t.Context(), signin.Start{Session: again, Ends: second.Hash}, silent, f.record()))
	f.hasSession(t, second, false)
	f.hasSession(t, &again, true)
	must(t, f.store.EndSession(t.Context(), again.Hash, silent, f.record()))
	f.hasSession(t, &again, false)
}

func suspensionEndsSessions(t *testing.T, f *fixture) {
	mine, other := f.session(t, 1, f.member, [32]byte{}), f.session(t, 2, f.addMember(t, "grace@members.example"), [32]byte{})
	must(t, f.change(t, f.member.ID, nil, func(m *loop.Member) { m.Notice = "A notice." }))
	f.hasSession(t, mine, true)
	must(t, f.change(t, f.member.ID, nil, func(m *loop.Member) { m.Suspended = true }))
	f.hasSession(t, mine, false)
	f.hasSession(t, other, true)
}
