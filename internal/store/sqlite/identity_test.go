package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
)

// identityUnderTest is an empty identity database, open, with a way to have
// several acts in one transaction.
type identityUnderTest struct {
	*Identity
	world       *loop.Clock
	revocations *oauth.Revocations
}

func openIdentity(t *testing.T) *identityUnderTest {
	t.Helper()
	world := loop.NewClock(loop.Machine{})
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "identity.db"), IdentitySchema(), world, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.StartAudit(t.Context(), "identity", audit.NewKeys([32]byte{1}, [32]byte{2}))
	if err != nil {
		t.Fatal(err)
	}
	revocations := oauth.NewRevocations()
	keys, err := Open(t.Context(), filepath.Join(t.TempDir(), "memberkeys.db"), MemberKeysSchema(), world, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	s, err := NewIdentity(t.Context(), db, world, credentialtest.OpenMemberKeys(t, NewMemberKeys(keys), world), revocations)
	if err != nil {
		t.Fatal(err)
	}
	return &identityUnderTest{s, world, revocations}
}

// hold keeps the writer busy until release: what queues up meanwhile is the next
// transaction.
func (s *identityUnderTest) hold(t *testing.T) (release func()) {
	t.Helper()
	begun, goOn := make(chan struct{}), make(chan struct{})
	answer := s.queue(t, func(*Tx) error {
		close(begun)
		<-goOn
		return nil
	})
	<-begun
	return func() {
		close(goOn)
		must(t, <-answer)
	}
}

// queue hands the writer an act without waiting for its answer.
func (s *identityUnderTest) queue(t *testing.T, do func(*Tx) error) (answer <-chan error) {
	t.Helper()
	return s.enqueue(t, &act{do: do})
}

func (s *identityUnderTest) enqueue(t *testing.T, a *act) (answer <-chan error) {
	t.Helper()
	a.ctx, a.done = context.Background(), make(chan error, 1)
	must(t, s.db.writer.enqueue(a))
	return a.done
}

// together has the acts carried out in one transaction, in their order, and
// gives what each was answered.
func (s *identityUnderTest) together(t *testing.T, acts ...func(*Tx) error) []error {
	t.Helper()
	return s.allTogether(t, false, acts...)
}

// allTogether is together for acts that may be carried out again, or may not.
func (s *identityUnderTest) allTogether(t *testing.T, again bool, acts ...func(*Tx) error) []error {
	t.Helper()
	release := s.hold(t)
	queued := make([]<-chan error, len(acts))
	for i, do := range acts {
		queued[i] = s.enqueue(t, &act{do: do, again: again})
	}
	release()
	answers := make([]error, len(acts))
	for i, answer := range queued {
		answers[i] = <-answer
	}
	return answers
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *identityUnderTest) record() audit.Record {
	return audit.Record{At: s.world.Now(), Event: audit.ClientUpdated, Actor: audit.Actor{Kind: audit.BySystem}}
}

// addClient registers an app with the name "old".
func (s *identityUnderTest) addClient(t *testing.T) loop.ClientID {
	t.Helper()
	c := s.newClient("old")
	must(t, s.AddClient(t.Context(), c, registration.Terms{}, s.record()))
	return c.ID
}

// newClient is an app with two secrets.
func (s *identityUnderTest) newClient(name string) *loop.Client {
	now := s.world.Now()
	return &loop.Client{
		ID: loop.NewClientID(s.world), Name: name, Type: loop.Confidential, RedirectURIs: []loop.RedirectURI{"https://app.example.com/cb"},
		AllowedScopes: loop.NewScopes(loop.ScopeOpenID), Mode: loop.Development, Enabled: true, CreatedAt: now, UpdatedAt: now,
		Secrets: []loop.ClientSecret{{Hash: [32]byte{1}, CreatedAt: now}, {Hash: [32]byte{2}, CreatedAt: now.Add(time.Second)}},
	}
}

// rename is a change of a client's name.
func (s *identityUnderTest) rename(name string) func(*loop.Client) ([]loop.Revocation, []audit.Record, error) {
	return func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		c.Name = name
		return nil, []audit.Record{s.record()}, nil
	}
}

// decides is the name of the client that a decision finds.
func decides(found *string) func(oauth.State) (oauth.Change, error) {
	return func(st oauth.State) (oauth.Change, error) {
		*found = st.Client.Name
		return oauth.Change{}, nil
	}
}

// change is an act that changes the client's name, and then fails where err is
// not nil.
func (s *identityUnderTest) change(id loop.ClientID, name string, err error) func(*Tx) error {
	return func(tx *Tx) error {
		return errors.Join(s.changeClient(tx, id, registration.Terms{}, s.rename(name)), err)
	}
}

// decision is an act that notes the client's name.
func (s *identityUnderTest) decision(id loop.ClientID, found *string) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := s.decide(tx, oauth.Subject{Client: id}, decides(found))
		return err
	}
}

var errOfAct = errors.New("the act fails")

// sees checks the client's name for a reader and for a decision.
func (s *identityUnderTest) sees(t *testing.T, id loop.ClientID, want string) {
	t.Helper()
	for range 2 { // before and after it is held
		if c, err := s.Client(t.Context(), id); err != nil || c.Name != want {
			t.Errorf("a reader sees %+v, %v; want %q", c, err, want)
		}
		var found string
		if err := s.Decide(t.Context(), oauth.Subject{Client: id}, decides(&found)); err != nil || found != want {
			t.Errorf("a decision sees %q, %v; want %q", found, err, want)
		}
	}
}
