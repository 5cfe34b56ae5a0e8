package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
)

// lists are the parts of the contract for what operators and developers see.
var lists = map[string]func(*testing.T, *fixture){
	"members are listed newest first":                   listsMembers,
	"apps are listed newest first, and by their owner":  listsClients,
	"grants are listed newest first, and by the member": listsGrants,
	"an app is added once":                              addsClientOnce,
	"the portal knows which sessions have ended":        knowsPortalSessions,
	"a visit tells of the one before":                   knowsVisits,
}

// newest sorts what was made within a millisecond too, as ids do.
func newest[T any, ID ~string](id func(T) ID, all ...T) []T {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(string(id(b)), string(id(a))) })
	return all
}

func memberID(m *loop.Member) loop.MemberID { return m.ID }
func clientID(c *loop.Client) loop.ClientID { return c.ID }
func grantID(g *loop.Grant) loop.GrantID    { return g.ID }

func listsMembers(t *testing.T, f *fixture) {
	second, third := f.addMember(t, "b@members.example"), f.addMember(t, "a@members.example")
	got, err := f.store.Members(t.Context())
	if diff := cmp.Diff(newest(memberID, f.member, second, third), got); diff != "" || err != nil {
		t.Errorf("%v (-want +found):\n%s", err, diff)
	}
}

func listsClients(t *testing.T, f *fixture) {
	mine, others := f.newApp(), f.newApp()
	others.Owner = f.addMember(t, "grace@members.example").ID
	mine.Secrets = []loop.ClientSecret{{Hash: [32]byte{1}, CreatedAt: f.world.Now()}}
	for _, c := range []*loop.Client{mine, others} {
		must(t, f.store.AddClient(t.Context(), c, registration.Terms{}, f.record()))
	}
	mine.Secrets = nil // a list has none
	for owner, want := range map[loop.MemberID][]*loop.Client{
		mine.Owner: {mine}, others.Owner: {others}, "user_none": nil, "": nil,
	} {
		got, err := f.store.ClientsOf(t.Context(), owner)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("of %q: %v (-want +found):\n%s", owner, err, diff)
		}
	}
	got, err := f.store.Clients(t.Context())
	if diff := cmp.Diff(newest(clientID, f.client, mine, others), got); diff != "" || err != nil {
		t.Errorf("all: %v (-want +found):\n%s", err, diff)
	}
}

func listsGrants(t *testing.T, f *fixture) {
	revoked := *f.grant
	revoked.RevokedAt, revoked.Reason = f.world.Now(), "the member disconnected the app"
	next := *f.grant
	next.ID = loop.NewGrantID(f.world)
	others := next
	others.ID, others.Member = loop.NewGrantID(f.world), f.addMember(t, "grace@members.example").ID
	for _, grant := range []*loop.Grant{&revoked, &next, &others} {
		must(t, f.store.Decide(t.Context(), oauth.Subject{Member: grant.Member, Client: grant.Client}, func(oauth.State) (oauth.Change, error) {
			return oauth.Change{Grant: grant}, nil
		}))
	}
	for member, want := range map[loop.MemberID][]*loop.Grant{
		f.member.ID: newest(grantID, &next, &revoked), others.Member: {&others}, "user_none": nil, "": newest(grantID, &others, &next, &revoked),
	} {
		got, err := f.store.Grants(t.Context(), member)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("of %q: %v (-want +found):\n%s", member, err, diff)
		}
	}
}

func addsClientOnce(t *testing.T, f *fixture) {
	twin := f.client.Clone()
	twin.Name = "Evening Labs"
	if err := f.store.AddClient(t.Context(), twin, registration.Terms{}, f.record()); loop.AsError(err).Code != loop.TemporarilyUnavailable || errors.Is(err, loop.ErrOutcomeUnknown) {
		t.Errorf("one with an id that is taken: %v", err)
	}
	f.finds(t, f.client)
}

func knowsPortalSessions(t *testing.T, f *fixture) {
	must(t, f.store.EndPortalSession(t.Context(), [32]byte{1}, f.world.Now().Add(time.Hour)))
	must(t, f.store.EndPortalSession(t.Context(), [32]byte{1}, f.world.Now().Add(time.Hour))) // again
	for _, test := range []struct {
		session, signIn byte
		ended           bool
	}{{1, 2, true}, {2, 1, true}, {2, 3, false}} {
		ended, err := f.store.PortalSessionEnded(t.Context(), [32]byte{test.session}, [32]byte{test.signIn})
		if err != nil || ended != test.ended {
			t.Errorf("session %d of sign-in %d has ended: %t, %v", test.session, test.signIn, ended, err)
		}
	}
}

func knowsVisits(t *testing.T, f *fixture) {
	now := f.world.Now()
	var found []time.Time
	for _, at := range []time.Time{now, now.Add(time.Hour), now.Add(2 * time.Hour)} {
		before, err := f.store.BeginVisit(t.Context(), f.member.ID, at)
		must(t, err)
		found = append(found, before)
	}
	if want := []time.Time{{}, now, now.Add(time.Hour)}; !slices.EqualFunc(want, found, time.Time.Equal) {
		t.Errorf("the visits before were at %v, want %v", found, want)
	}
}
