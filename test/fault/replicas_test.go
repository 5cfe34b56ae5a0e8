package fault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

// fleet is many servers of one platform on one database, and a member with an app.
type fleet struct {
	t       *testing.T
	servers []*server
	proxies []*proxy // each server's way to the database
	member  *person  // at the first server
}

const replicas = 4

// newFleet starts replicas, each behind a proxy of its own, on a database.
func newFleet(t *testing.T, database string) *fleet {
	t.Helper()
	migrate(t, database)
	f := &fleet{t: t}
	first := newServer(t, boundTo{}, t.TempDir())
	for i := range replicas {
		s := first
		if i > 0 {
			s = first.replica()
		}
		way, address := throughProxy(t, database)
		s.env = append(s.env, "LOOP_DATABASE="+address)
		s.start()
		f.servers, f.proxies = append(f.servers, s), append(f.proxies, way)
	}
	app := first.newApp()
	for _, s := range f.servers {
		s.app = app
	}
	f.member = first.newPerson("Ada")
	return f
}

// boundTo is an engine whose database the test names.
type boundTo struct{ postgresEngine }

func (boundTo) settings(*testing.T, string) []string { return nil }

// watch reads with the token and asks about it at every replica until the function that it gives is
// called with the moment at which a revocation was answered: none may have been served
// whose request was written later. It returns once every replica has served one.
func (f *fleet) watch(access string) (end func(answered time.Time) error) {
	f.t.Helper()
	var group sync.WaitGroup
	stop := make(chan struct{})
	reads := make([][]read, len(f.servers))
	first := make(chan struct{}, len(f.servers))
	for i, s := range f.servers {
		reader := &person{server: s, app: s.app, http: &http.Client{Transport: s.transport(), Timeout: 20 * time.Second}}
		group.Go(func() {
			for after := 0; after < readsAfter; {
				select {
				case <-stop:
					after++
				default:
				}
				sent := time.Now()
				status, _, err := reader.read(access)
				reads[i] = append(reads[i], read{sent, status, err})
				sent = time.Now()
				status, err = reader.introspect(access)
				reads[i] = append(reads[i], read{sent, status, err})
				if len(reads[i]) == 2 {
					first <- struct{}{}
				}
			}
		})
	}
	for range f.servers {
		<-first
	}
	return func(answered time.Time) error {
		close(stop)
		group.Wait()
		return judge(reads, answered)
	}
}

// readsAfter is how many reads each replica is asked for behind a revocation.
const readsAfter = 3

// read is an answer: 200 where the token was good.
type read struct {
	sent   time.Time
	status int
	err    error
}

// judge holds the reads of each replica to the promise.
func judge(reads [][]read, answered time.Time) error {
	var faults []error
	for i, all := range reads {
		for _, r := range all[:2] {
			if r.err != nil || r.status != http.StatusOK {
				faults = append(faults, fmt.Errorf("replica %d does not serve the token before it is revoked: %d, %s", i, r.status, fmt.Sprint(r.err)))
			}
		}
		for _, r := range all {
			if r.sent.After(answered) && r.err == nil && r.status == http.StatusOK {
				faults = append(faults, fmt.Errorf("replica %d served a read that was sent %s after the revocation was answered", i, r.sent.Sub(answered)))
			}
		}
	}
	return errors.Join(faults...)
}

// revocation ends a token in one of the ways there are. It answers with an error where
// that was refused; what it makes good again is for the next round.
type revocation struct {
	name   string
	revoke func(f *fleet, held tokens) error
	after  func(f *fleet)
}

func answeredWith(status, want int, err error) error {
	if err == nil && status != want {
		err = fmt.Errorf("status %d", status)
	}
	return err
}

// commanded runs a command as a way to revoke.
func commanded(at *server, args ...string) error {
	_, complaint, status := at.try(args...)
	if status != 0 {
		return fmt.Errorf("loop %v: %s", args, complaint)
	}
	return nil
}

var revocations = []revocation{
	{name: "the access token is given back", revoke: func(f *fleet, held tokens) error {
		status, _, err := f.member.revoke(held.Access)
		return answeredWith(status, http.StatusOK, err)
	}},
	{name: "the refresh token is given back", revoke: func(f *fleet, held tokens) error {
		status, _, err := f.member.revoke(held.Refresh)
		return answeredWith(status, http.StatusOK, err)
	}},
	{name: "a refresh token is used again", revoke: func(f *fleet, held tokens) error {
		next, err := f.member.refresh(held.Refresh)
		if err := answeredWith(next.status, http.StatusOK, err); err != nil {
			return err
		}
		again, err := f.member.refresh(held.Refresh)
		return answeredWith(again.status, http.StatusBadRequest, err)
	}},
	{name: "the code is used again", revoke: func(f *fleet, held tokens) error {
		again, err := f.member.redeem(held.code, held.verifier)
		return answeredWith(again.status, http.StatusBadRequest, err)
	}},
	{name: "the member leaves the scope out", revoke: func(f *fleet, _ tokens) error {
		f.member.leavesOut = "read:biomarkers"
		_, err := f.member.authorize("a-code-verifier-that-is-long-enough-for-pkce", "prompt", "consent")
		return err
	}, after: func(f *fleet) {
		f.member.leavesOut = ""
		if _, err := f.member.authorize("a-code-verifier-that-is-long-enough-for-pkce", "prompt", "consent"); err != nil {
			f.t.Fatal(err)
		}
	}},
	{name: "an operator ends the grant", revoke: func(f *fleet, _ tokens) error {
		return commanded(f.servers[1], "grant", "revoke", f.grant())
	}},
	{name: "the app is disabled", revoke: func(f *fleet, _ tokens) error {
		return commanded(f.servers[2], "client", "disable", f.member.app.ID)
	}, after: func(f *fleet) { f.servers[3].loop("client", "enable", f.member.app.ID) }},
	{name: "the member is suspended", revoke: func(f *fleet, _ tokens) error {
		return commanded(f.servers[3], "user", "suspend", f.member.email)
	}, after: func(f *fleet) { f.servers[0].loop("user", "resume", f.member.email) }},
	{name: "the key is revoked", revoke: func(f *fleet, _ tokens) error {
		return commanded(f.servers[1], "keys", "revoke", f.accessKey())
	}},
}

// grant is the id of the member's live grant.
func (f *fleet) grant() string {
	f.t.Helper()
	var grants []struct {
		ID string `json:"grant_id"`
	}
	f.servers[0].object(&grants, "grant", "list", "--user", f.member.email)
	if len(grants) != 1 {
		f.t.Fatalf("the member has %d live grants", len(grants))
	}
	return grants[0].ID
}

// accessKey is the id of the key that access tokens are sealed under.
func (f *fleet) accessKey() string {
	f.t.Helper()
	var keys []struct {
		ID      uint32 `json:"id"`
		Purpose string `json:"purpose"`
		State   string `json:"state"`
	}
	f.servers[0].object(&keys, "keys", "list")
	for _, key := range keys {
		if key.Purpose == "access" && key.State == "active" {
			return strconv.FormatUint(uint64(key.ID), 10)
		}
	}
	f.t.Fatalf("no key for access tokens is at work: %+v", keys)
	return ""
}

// round connects the app, has everybody read, revokes in the way of its number, and
// holds every replica to it. Between breaks something meanwhile, and mend makes it
// whole again.
func (f *fleet) round(number int, between func(revoke func() error) error, mend func()) {
	f.t.Helper()
	way := revocations[number%len(revocations)]
	connected, err := f.member.connect()
	held := connected.must(f.t, err)
	end := f.watch(held.Access)
	var answered time.Time
	err = between(func() error {
		err := way.revoke(f, held)
		answered = time.Now()
		return err
	})
	if err != nil {
		f.t.Errorf("round %d, %s: it was not answered: %v", number, way.name, err)
	}
	if err := end(answered); err != nil {
		f.t.Errorf("round %d, %s: %v", number, way.name, err)
	}
	mend()
	if way.after != nil {
		way.after(f)
	}
	if f.t.Failed() {
		f.t.FailNow()
	}
}

// stop ends all, and holds the record to its chain.
func (f *fleet) stop() {
	f.t.Helper()
	f.servers[0].verifyAudit()
	for _, s := range f.servers {
		s.stop()
	}
}

func TestRevocation_IsAtOnceOnEveryReplica(t *testing.T) {
	f := newFleet(t, newDatabase(t))
	rounds := sized(100, 2000)
	began := time.Now()
	for i := range rounds {
		f.round(i, func(revoke func() error) error { return revoke() }, func() {})
	}
	t.Logf("%d rounds on %d replicas, none served what was revoked; %s a round", rounds, replicas, time.Since(began)/time.Duration(rounds))
	f.stop()
}

func TestRevocation_IsAtOnceWhereAReplicaWasAsleep(t *testing.T) {
	f := newFleet(t, newDatabase(t))
	asleep := f.servers[replicas-1].process
	for i := range sized(3, 5*len(revocations)) {
		if strings.Contains(revocations[i%len(revocations)].name, "suspended") {
			continue // that command is the sleeper's own to give
		}
		f.round(i, func(revoke func() error) error {
			asleep.Signal(syscall.SIGSTOP)
			err := revoke()
			asleep.Signal(syscall.SIGCONT) // and now it answers what was sent meanwhile
			return err
		}, func() { f.servers[replicas-1].awaitReady(t, http.StatusOK) })
	}
	f.stop()
}

func TestRevocation_IsAtOnceWhereAReplicaIsCutOff(t *testing.T) {
	f := newFleet(t, newDatabase(t))
	for i := range sized(3, 5*len(revocations)) {
		if strings.Contains(revocations[i%len(revocations)].name, "suspended") {
			continue // that command is given to the one that is cut off
		}
		f.round(i, func(revoke func() error) error {
			f.proxies[replicas-1].Cut()
			return revoke()
		}, func() {
			f.proxies[replicas-1].Mend()
			f.servers[replicas-1].awaitReady(t, http.StatusOK)
		})
	}
	f.stop()
}

func TestRevocation_IsAtOnceWhereTheDatabaseStartsAgain(t *testing.T) {
	database, err := postgrestest.New()
	postgrestest.Need(t, err)
	t.Cleanup(func() { _ = database.Remove() })
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := database.CreateDatabase(t.Context(), "restarted")
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t, address)
	for i := range sized(2, 10) {
		f.round(i, func(revoke func() error) error {
			if err := database.Stop(syscall.SIGINT); err != nil {
				return err
			}
			if err := database.Start(); err != nil {
				return err
			}
			for _, s := range f.servers {
				s.awaitReady(t, http.StatusOK)
			}
			return revoke()
		}, func() {})
	}
	f.stop()
}

// Sec124: the clocks of two replicas are 90 seconds apart, and of a third the other
// way; what one issues, codes of a minute among it, is good at each of the others.
func TestSec124_ReplicasWhoseClocksDifferTakeEachOthersWord(t *testing.T) {
	database := (postgresEngine{}).settings(t, "")[0]
	first := newServer(t, boundTo{}, t.TempDir())
	first.binary = clockBinary
	first.env = append(first.env, database)
	var people []*person
	for i, ahead := range []time.Duration{0, 90 * time.Second, -90 * time.Second} {
		s := first
		if i > 0 {
			s = first.replica()
		}
		clock := filepath.Join(t.TempDir(), "clock")
		s.setClock(t, clock, ahead)
		s.env = append(s.env, "LOOP_TEST_CLOCK="+clock)
		s.start()
		if i == 0 {
			s.app = s.newApp()
		}
		s.app = first.app
		people = append(people, s.newPerson(fmt.Sprintf("Person%d", i)))
	}
	for _, issues := range people {
		for _, takes := range people {
			verifier := rand.Text() + rand.Text()
			answered, err := issues.authorize(verifier)
			must(t, err)
			given, err := takes.redeem(answered.Get("code"), verifier)
			held := given.must(t, err)
			if status, _, err := issues.read(held.Access); err != nil || status != http.StatusOK {
				t.Errorf("an access token is answered %d, %v", status, err)
			}
			given, err = issues.refresh(held.Refresh)
			next := given.must(t, err)
			if status, _, err := takes.revoke(next.Access); err != nil || status != http.StatusOK {
				t.Errorf("revoking is answered %d, %v", status, err)
			}
			if status, _, err := issues.read(next.Access); err != nil || status != http.StatusUnauthorized {
				t.Errorf("an access token that was revoked elsewhere is answered %d, %v", status, err)
			}
		}
	}
}
