package conformance

import (
	"crypto/rand"
	"strings"
	"sync"
	"testing"
)

// member is somebody who can sign in.
type member struct {
	ID       string `json:"user_id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// newMember adds a member, whose address is the mailbox's.
func (s *server) newMember(t *testing.T, name, mailbox string) *member {
	t.Helper()
	var m member
	s.loop(t, &m, "user", "create", "--name", name, "--email", mailbox+"@members.example", "--locale", "en", "--test")
	return &m
}

// testsOfMember is how many tests may sign in as one member side by side. Of more
// than nine tries at once the platform refuses some, however right they are
// (docs/limits.md).
const testsOfMember = 5

// crowd is the members that tests borrow. Each is in it once for each further test
// that may have them.
type crowd struct {
	mu   sync.Mutex
	free []*member
}

// borrowMember gives a member called Ada, until the test ends.
func (s *server) borrowMember(t *testing.T) *member {
	t.Helper()
	c := s.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.free) == 0 {
		made := s.newMember(t, "Ada", "ada."+strings.ToLower(rand.Text()))
		for range testsOfMember {
			c.free = append(c.free, made)
		}
	}
	borrowed := c.free[0] // who has waited for longest: there is a limit to right sign-ins too
	c.free = c.free[1:]
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.free = append(c.free, borrowed)
	})
	return borrowed
}
