package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/signin"
)

// failures are the parts of the contract for acts that the database refuses.
var failures = map[string]func(*testing.T, *fixture){
	"a chain that is not as it was decided on is left as it is": changedChain,
	"an act that fails half way leaves nothing":                 failsHalfWay,
}

// changedChain: no engine lets a chain change under a decision; the compare-and-set
// would end it all the same, and everything with it.
func changedChain(t *testing.T, f *fixture) {
	id := f.start(t, 0, 1)
	want := f.read(t, id)
	grant := *f.grant
	grant.Scopes = loop.NewScopes(loop.ScopeOpenID)
	err := f.store.Decide(t.Context(), f.subject(id), func(st oauth.State) (oauth.Change, error) {
		next := *st.Chain
		st.Chain.Generation += 7
		next.Generation++
		return oauth.Change{Grant: &grant, Chain: &next, Records: []audit.Record{f.record()}}, nil
	})
	nothingWritten(t, "the decision", err)
	if diff := cmp.Diff(want, f.read(t, id)); diff != "" {
		t.Errorf("the chain differs (-before +after):\n%s", diff)
	}
	if live, err := f.store.LiveGrant(t.Context(), f.member.ID, f.client.ID); err != nil || !cmp.Equal(f.grant, live) {
		t.Errorf("the grant is %+v, %v", live, err)
	}
}

// failsHalfWay: the last statement of an act is refused, here by a chain whose id is
// taken.
func failsHalfWay(t *testing.T, f *fixture) {
	id := f.start(t, 0, 1)
	grant := *f.grant
	grant.Scopes = loop.NewScopes(loop.ScopeOpenID)
	err := f.store.Decide(t.Context(), f.subject("chain_other"), func(oauth.State) (oauth.Change, error) {
		return oauth.Change{Grant: &grant, Chain: f.chain(id, f.world.Now()), Keep: 1, Records: []audit.Record{f.record()}}, nil
	})
	nothingWritten(t, "the decision", err)
	if live, err := f.store.LiveGrant(t.Context(), f.member.ID, f.client.ID); err != nil || !cmp.Equal(f.grant, live) {
		t.Errorf("the grant is %+v, %v", live, err)
	}
	f.start(t, time.Second, 1) // and the next act goes on, with its record
}

// nothingWritten checks that an answer is: nothing was written, try again.
func nothingWritten(t *testing.T, what string, err error) {
	t.Helper()
	if e := loop.AsError(err); e.Code != loop.TemporarilyUnavailable || e.RetryAfter == 0 || errors.Is(err, loop.ErrOutcomeUnknown) {
		t.Errorf("%s: %v, retry after %v", what, err, e.RetryAfter)
	}
}

// Closed checks that everything that is asked of a store whose database was closed is
// answered alike: nothing was written, try again.
func Closed(t *testing.T, s Store, results ResultStore) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	decide := func(oauth.State) (oauth.Change, error) { return oauth.Change{}, nil }
	changeMember := func(*loop.Member) (member.Change, error) { return member.Change{}, nil }
	changeClient := func(*loop.Client) ([]loop.Revocation, []audit.Record, error) { return nil, nil, nil }
	for what, use := range map[string]func() error{
		"Account":            func() error { _, _, err := s.Account(ctx, "a@members.example"); return err },
		"AddClient":          func() error { return s.AddClient(ctx, &loop.Client{}, registration.Terms{}, audit.Record{}) },
		"AddMember":          func() error { return s.AddMember(ctx, &loop.Member{}, "", nil, audit.Record{}) },
		"AddLink":            func() error { return s.AddLink(ctx, &member.Link{}, nil, audit.Record{}) },
		"Link":               func() error { _, err := s.Link(ctx, [32]byte{}); return err },
		"AddPushedRequest":   func() error { return s.AddPushedRequest(ctx, &oauth.PushedRequest{}) },
		"Backlog":            func() error { _, err := s.Backlog(ctx, now); return err },
		"BeginVisit":         func() error { _, err := s.BeginVisit(ctx, "user_1", now); return err },
		"Chain":              func() error { _, err := s.Chain(ctx, "user_1", "code_1"); return err },
		"ChangeClient":       func() error { return s.ChangeClient(ctx, "client_1", registration.Terms{}, changeClient) },
		"ChangeKeys":         func() error { return s.ChangeKeys(ctx, credential.KeyChange{}, nil) },
		"ChangeMember":       func() error { return s.ChangeMember(ctx, "user_1", silent, changeMember) },
		"Client":             func() error { _, err := s.Client(ctx, "client_1"); return err },
		"ClientRecords":      func() error { _, err := s.ClientRecords(ctx, "client_1", 1); return err },
		"Clients":            func() error { _, err := s.Clients(ctx); return err },
		"ClientsOf":          func() error { _, err := s.ClientsOf(ctx, "user_1"); return err },
		"CountRefusal":       func() error { return s.CountRefusal(ctx, audit.Refusal{}) },
		"Decide":             func() error { return s.Decide(ctx, oauth.Subject{}, decide) },
		"ClaimDeliveries":    func() error { _, err := s.ClaimDeliveries(ctx, outbox.Claim{}); return err },
		"EndPortalSession":   func() error { return s.EndPortalSession(ctx, [32]byte{}, now) },
		"EndSession":         func() error { return s.EndSession(ctx, [32]byte{}, silent, audit.Record{}) },
		"Epoch":              func() error { _, err := s.Epoch(ctx); return err },
		"Grants":             func() error { _, err := s.Grants(ctx, ""); return err },
		"Keys":               func() error { _, _, err := s.Keys(ctx); return err },
		"LastGrant":          func() error { _, err := s.LastGrant(ctx, "user_1", "client_1"); return err },
		"LiveGrant":          func() error { _, err := s.LiveGrant(ctx, "user_1", "client_1"); return err },
		"Member":             func() error { _, err := s.Member(ctx, "user_1"); return err },
		"Members":            func() error { _, err := s.Members(ctx); return err },
		"OverGrants":         func() error { _, err := s.OverGrants(ctx, now, 1); return err },
		"Receipts":           func() error { _, err := s.Receipts(ctx, "user_1", "grant_1", 1); return err },
		"Picture":            func() error { _, err := s.Picture(ctx, "client_1", "a"); return err },
		"PutPicture":         func() error { return s.PutPicture(ctx, "client_1", "", "a", nil) },
		"PortalSessionEnded": func() error { _, err := s.PortalSessionEnded(ctx, [32]byte{}, [32]byte{}); return err },
		"PushedRequest":      func() error { _, err := s.PushedRequest(ctx, [32]byte{}); return err },
		"SentForm":           func() error { _, err := s.SentForm(ctx, [32]byte{}); return err },
		"Session":            func() error { _, err := s.Session(ctx, [32]byte{}); return err },
		"SettleDelivery":     func() error { return s.SettleDelivery(ctx, outbox.Delivery{}, nil) },
		"Waiting":            func() error { _, err := s.Waiting(ctx); return err },
		"StartSession":       func() error { return s.StartSession(ctx, signin.Start{}, silent, audit.Record{}) },
		"Sessions":           func() error { _, err := s.Sessions(ctx, "user_1"); return err },
		"EndSessions":        func() error { return s.EndSessions(ctx, signin.Ending{}, silent, audit.Record{}) },
		"Factor":             func() error { _, err := s.Factor(ctx, "user_1"); return err },
		"AddFactor": func() error {
			return s.AddFactor(ctx, &signin.Factor{}, 0, signin.RecoveryHashes{}, nil, audit.Record{})
		},
		"RemoveFactor":     func() error { return s.RemoveFactor(ctx, "user_1", nil, audit.Record{}) },
		"SetRecoveryCodes": func() error { return s.SetRecoveryCodes(ctx, "user_1", signin.RecoveryHashes{}, nil, audit.Record{}) },
		"Passkeys":         func() error { _, err := s.Passkeys(ctx, "user_1"); return err },
		"AddPasskey":       func() error { return s.AddPasskey(ctx, &signin.Passkey{}, signin.Spent{}, nil, audit.Record{}) },
		"RemovePasskey":    func() error { return s.RemovePasskey(ctx, "user_1", nil, nil, audit.Record{}) },
		"Sweep":            func() error { return s.Sweep(ctx, now) },
		"TouchSession":     func() error { return s.TouchSession(ctx, &signin.Session{}) },
		"UseAssertion":     func() error { return s.UseAssertion(ctx, "client_1", [32]byte{}, now) },
		"AddResults":       func() error { _, err := results.AddResults(ctx, "user_1", nil, nil, nil, audit.Record{}); return err },
		"FindResult":       func() error { _, err := results.FindResult(ctx, "user_1", "bmk_1"); return err },
		"ListResults": func() error {
			_, err := results.ListResults(ctx, "user_1", biomarker.Selection{}, func(*biomarker.Result) bool { return true })
			return err
		},
		"RetractResult": func() error { return results.RetractResult(ctx, "user_1", "client_1", "bmk_1", audit.Record{}) },
	} {
		nothingWritten(t, what, use())
	}
}
