package fault

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// journal is what the clients know, outside the server: a line for each answer,
// on the disk before the next request is sent.
type journal struct {
	mu       sync.Mutex
	file     *os.File
	answered atomic.Int64
	requests []string          // of the writes that were answered
	next     map[string]string // a refresh token that was presented: its successor
	forks    []string
}

// entry is a line of the journal.
type entry struct {
	Person  string `json:"person"`
	Act     string `json:"act"`
	Request string `json:"request"`
	From    string `json:"from,omitempty"` // the token that was presented
	To      string `json:"to,omitempty"`   // the one that was answered
}

func newJournal(t *testing.T) *journal {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return &journal{file: file, next: make(map[string]string)}
}

// write makes an answer durable.
func (j *journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.answered.Add(1)
	j.requests = append(j.requests, e.Request)
	if e.From != "" {
		if before, ok := j.next[e.From]; ok && before != e.To {
			j.forks = append(j.forks, fmt.Sprintf("%s: request %s answered a second successor", e.Person, e.Request))
		}
		j.next[e.From] = e.To
	}
	return nil
}

// client is a person's app, as it knows where it stands.
type client struct {
	*person
	name    string
	journal *journal
	random  *rand.Rand
	grace   bool // the app may repeat a refresh

	held    tokens // the newest that were answered; zero: none
	asked   bool   // a refresh was sent, and no answer came
	revoked []tokens
	fault   error
}

// work acts until the server is gone or ctx ends.
func (c *client) work(ctx context.Context) {
	for ctx.Err() == nil && c.fault == nil {
		err := c.act()
		if errors.Is(err, errUnanswered) {
			return
		}
		c.fault = err
	}
}

func (c *client) act() error {
	dice := c.random.IntN(100)
	switch {
	case c.held.Refresh == "" || dice < 6:
		return c.connects()
	case dice < 12:
		return c.revokes()
	case dice < 20:
		return c.reads()
	default:
		return c.refreshes()
	}
}

func (c *client) connects() error {
	c.held, c.asked = tokens{}, false // a new authorization replaces what the app had
	got, err := c.connect()
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return fmt.Errorf("%s: a code is answered %d %s", c.name, got.status, got.Error)
	}
	c.held = got
	return c.journal.write(entry{Person: c.name, Act: "connect", Request: got.request, To: got.Refresh})
}

func (c *client) refreshes() error {
	c.asked = true
	got, err := c.refresh(c.held.Refresh)
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return fmt.Errorf("%s: a refresh is answered %d %s", c.name, got.status, got.Error)
	}
	from := c.held.Refresh
	c.held, c.asked = got, false
	return c.journal.write(entry{Person: c.name, Act: "refresh", Request: got.request, From: from, To: got.Refresh})
}

func (c *client) revokes() error {
	going := c.held
	c.held = tokens{} // whatever comes of it, the app is done with them
	status, request, err := c.revoke(going.Refresh)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s: a revocation is answered %d", c.name, status)
	}
	c.revoked = append(c.revoked, going)
	return c.journal.write(entry{Person: c.name, Act: "revoke", Request: request, From: going.Refresh})
}

func (c *client) reads() error {
	status, request, err := c.read(c.held.Access)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s: a read is answered %d", c.name, status)
	}
	return c.journal.write(entry{Person: c.name, Act: "read", Request: request})
}

// returns is what a client does first when the server is back: it holds it to
// what it has answered.
func (c *client) returns() error {
	for _, gone := range c.revoked {
		if got, err := c.refresh(gone.Refresh); err != nil || got.Error != "invalid_grant" {
			return fmt.Errorf("%s: a refresh token that was revoked is answered %d %s, %w", c.name, got.status, got.Error, err)
		}
		if status, _, err := c.read(gone.Access); err != nil || status != http.StatusUnauthorized {
			return fmt.Errorf("%s: an access token that was revoked is answered %d, %w", c.name, status, err)
		}
	}
	c.revoked = nil
	if c.held.Refresh == "" {
		return nil
	}
	if status, _, err := c.read(c.held.Access); err != nil || status != http.StatusOK {
		return fmt.Errorf("%s: the newest access token is answered %d, %w", c.name, status, err)
	}
	silent, err := c.authorize("a-code-verifier-that-is-long-enough-for-pkce", "prompt", "none")
	if err != nil || silent.Get("code") == "" {
		return fmt.Errorf("%s: the consent that was given is gone: %s, %w", c.name, silent.Get("error"), err)
	}
	if c.asked && !c.grace { // it may have been rotated, and no answer asked the app to try again
		return nil
	}
	return c.refreshes()
}

// begin gives each person of the test a client: every other app may repeat.
func begin(t *testing.T, s *server, people int) ([]*client, *journal) {
	t.Helper()
	patient := s.newApp("--refresh-grace", "30s")
	j := newJournal(t)
	clients := make([]*client, people)
	for i := range clients {
		name := fmt.Sprintf("Person%d", i)
		c := &client{person: s.newPerson(name), name: name, journal: j, random: rand.New(rand.NewPCG(7, uint64(i)))}
		if c.grace = i%2 == 0; c.grace {
			c.app = patient
		}
		clients[i] = c
	}
	return clients, j
}

// all runs something for every client at once, and reports the first faults.
func all(t *testing.T, clients []*client, do func(*client) error) {
	t.Helper()
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() {
			if err := do(c); err != nil {
				c.fault = errors.Join(c.fault, err)
			}
		})
	}
	group.Wait()
	for _, c := range clients {
		if c.fault != nil {
			t.Errorf("%v", c.fault)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

func TestKill_EveryAnsweredWriteIsThereAndNoChainIsForked(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := startServer(t, e)
		clients, j := begin(t, s, 8)
		kills := sized(5, 50)
		for kill := range kills {
			all(t, clients, (*client).returns)
			before := j.answered.Load()
			load := loadOf(t, clients)
			await(t, "nothing is answered", func() (string, bool) { return "", j.answered.Load() >= before+40 })
			if kill%2 == 0 {
				e.awaitWrite(t, s)
			} else {
				<-time.After(time.Duration(rand.IntN(50)) * time.Millisecond)
			}
			s.process.Kill()
			load()
			s.sound()
			for _, c := range clients {
				if c.asked && !c.grace {
					c.held, c.asked = tokens{}, false // such an app has its member connect again
				}
			}
			s.start()
		}
		all(t, clients, (*client).returns)
		for _, fork := range j.forks {
			t.Error(fork)
		}
		s.everyRequestIsRecorded(t, j)
		s.verifyAudit()
		s.stop()
		s.verifyAudit()
		t.Logf("%d kills, %d answered writes, all of them there", kills, j.answered.Load())
	})
}

// loadOf has the clients work until the server is gone; the function waits for
// that.
func loadOf(t *testing.T, clients []*client) (wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() { c.work(ctx) })
	}
	return func() {
		t.Helper()
		cancel()
		group.Wait()
		for _, c := range clients {
			if c.fault != nil {
				t.Fatal(c.fault)
			}
		}
	}
}

// everyRequestIsRecorded holds the audit record to the journal: what was answered
// is in it.
func (s *server) everyRequestIsRecorded(t *testing.T, j *journal) {
	t.Helper()
	recorded := make(map[string]bool)
	lines := bufio.NewScanner(bytes.NewReader([]byte(s.loop("audit", "tail", "-n", "10000000", "--json"))))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var record struct {
			Request string `json:"request_id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Fatal(err)
		}
		recorded[record.Request] = true
	}
	missing := 0
	for _, request := range j.requests {
		if !recorded[request] {
			missing++
		}
	}
	if missing > 0 || len(j.requests) == 0 {
		t.Errorf("of %d answered writes, %d left no record", len(j.requests), missing)
	}
}
