package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
)

// InClear is a store whose members are kept as older versions did, or no more.
type InClear struct {
	Store Store
	World loop.World
	Set   func(inClear bool)
	Seal  func(context.Context) error
	Raw   func(query string) (rows int) // runs a statement on the database past the store
}

// RunMembersInClear runs the part of the contract for names and addresses that older
// versions kept in clear.
func RunMembersInClear(t *testing.T, open func(t *testing.T) InClear) {
	t.Helper()
	c := open(t)
	c.Set(true)
	f := newFixture(t, c.Store, c.World)
	f.addMember(t, "grace@members.example")
	inClear := func(when string, want int) {
		t.Helper()
		if rows := c.Raw(`SELECT count(*) FROM members WHERE email LIKE '%@%' OR name <> ''`); rows != want {
			t.Errorf("%s %d members are in clear, want %d", when, rows, want)
		}
	}
	same := func(when string) {
		t.Helper()
		m, err := c.Store.Member(t.Context(), f.member.ID)
		must(t, err)
		byAddress, _, err := c.Store.Account(t.Context(), f.member.Email)
		must(t, err)
		if diff := cmp.Diff(m, byAddress); diff != "" || m.Name != f.member.Name || m.Email != f.member.Email {
			t.Errorf("%s the member is %+v, and by their address %s", when, m, diff)
		}
		taken := *f.member
		taken.ID = loop.NewMemberID(f.world)
		if err := c.Store.AddMember(t.Context(), &taken, "hash", nil, f.record()); !errors.Is(err, member.ErrAddressTaken) {
			t.Errorf("%s the address is given to another: %v", when, err)
		}
	}
	must(t, c.Seal(t.Context()))
	same("in clear")
	inClear("while older versions serve", 2)
	c.Set(false)
	same("before they are sealed")
	must(t, c.Seal(t.Context()))
	same("sealed")
	inClear("after all were sealed", 0)
	f.addMember(t, "edith@members.example")
	inClear("after another came", 0)
}
