package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// endsWhenChosen: a grant keeps its end, and is found from then on, until it is revoked.
func endsWhenChosen(t *testing.T, f *fixture) {
	end := f.world.Now().Add(time.Hour)
	write := func(alter func(*loop.Grant)) {
		must(t, f.store.Decide(t.Context(), oauth.Subject{Grant: f.grant.ID}, func(st oauth.State) (oauth.Change, error) {
			changed := *st.Grant
			alter(&changed)
			return oauth.Change{Grant: &changed}, nil
		}))
	}
	over := func(at time.Time) []loop.GrantID {
		ids, err := f.store.OverGrants(t.Context(), at, 10)
		must(t, err)
		return ids
	}
	if ids := over(end.Add(time.Hour)); len(ids) != 0 {
		t.Errorf("a grant without an end is over: %v", ids)
	}
	write(func(g *loop.Grant) { g.EndsAt = end })
	want := *f.grant
	want.EndsAt = end
	live, err := f.store.LiveGrant(t.Context(), f.member.ID, f.client.ID)
	if diff := cmp.Diff(&want, live); diff != "" || err != nil {
		t.Errorf("%v (-want +found):\n%s", err, diff)
	}
	if ids := over(end.Add(-time.Microsecond)); len(ids) != 0 {
		t.Errorf("a grant is over before its end: %v", ids)
	}
	if ids := over(end); !slices.Equal(ids, []loop.GrantID{f.grant.ID}) {
		t.Errorf("at its end, those that are over are %v", ids)
	}
	write(func(g *loop.Grant) { g.RevokedAt = end })
	if ids := over(end); len(ids) != 0 {
		t.Errorf("a grant that is revoked is over: %v", ids)
	}
	last, err := f.store.LastGrant(t.Context(), f.member.ID, f.client.ID)
	if err != nil || last == nil || !last.EndsAt.Equal(end) || last.RevokedAt.IsZero() {
		t.Errorf("the last grant is %+v, %v", last, err)
	}
	if none, err := f.store.LastGrant(t.Context(), f.member.ID, "client_other"); err != nil || none != nil {
		t.Errorf("a grant that never was is %+v, %v", none, err)
	}
}

// keepsReceipts: receipts read as they were written, newest first, for their member
// and grant alone; a decision that fails keeps none.
func keepsReceipts(t *testing.T, f *fixture) {
	now := f.world.Now()
	var want []loop.Receipt
	for i, lines := range [][]loop.ConsentLine{nil, {{Scope: loop.ScopeOpenID, Title: "Wissen, „wer“", Detail: "<b>", Needed: true}}} {
		receipt := loop.Receipt{
			ID: loop.NewReceiptID(f.world), Grant: f.grant.ID, Member: f.member.ID, At: now,
			Shown:   loop.ConsentPage{Language: "de", Version: "0123", App: "Morning Labs", Host: "app.example.com", Development: i == 0, Lines: lines, Cannot: "Nichts."},
			Allowed: loop.NewScopes(loop.ScopeOpenID), Declined: loop.NewScopes(loop.ScopeEmail), EndsAt: now.Add(time.Duration(i) * time.Hour),
		}
		must(t, f.store.Decide(t.Context(), f.subject(""), func(oauth.State) (oauth.Change, error) { return oauth.Change{Receipt: &receipt}, nil }))
		want = append(want, receipt)
	}
	want = newest(func(r loop.Receipt) loop.ReceiptID { return r.ID }, want...)
	got, err := f.store.Receipts(t.Context(), f.member.ID, f.grant.ID, 10)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +found):\n%s", err, diff)
	}
	if newest, err := f.store.Receipts(t.Context(), f.member.ID, f.grant.ID, 1); err != nil || len(newest) != 1 || newest[0].ID != want[0].ID {
		t.Errorf("of those, the newest is %+v, %v", newest, err)
	}
	for _, other := range []struct {
		member loop.MemberID
		grant  loop.GrantID
	}{{f.member.ID, "grant_other"}, {"user_other", f.grant.ID}} {
		if found, err := f.store.Receipts(t.Context(), other.member, other.grant, 10); err != nil || len(found) != 0 {
			t.Errorf("%v has %+v, %v", other, found, err)
		}
	}
}
