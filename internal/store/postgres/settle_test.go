//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/postgres"
)

// line is a way to the database that is cut at a commit.
type line struct {
	target  string
	armed   atomic.Int32
	arrives bool // whether the commit reaches the server before the line is cut
}

// commit is how one looks on its way: the last statement of a batch.
var commit = []byte("COMMIT")

// cuttable gives the address of the database over a line of the test's own.
func cuttable(t *testing.T, config postgres.Config, arrives bool) (*line, postgres.Config) {
	t.Helper()
	u, err := url.Parse(config.URL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := &line{target: u.Host, arrives: arrives}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go l.carry(near)
		}
	}()
	u.Host = listener.Addr().String()
	u.RawQuery += "&default_query_exec_mode=exec" // so that a commit is spelled out each time
	config.URL = u.String()
	return l, config
}

func (l *line) carry(near net.Conn) {
	defer near.Close() //nolint:errcheck // it is cut
	far, err := new(net.Dialer).DialContext(context.Background(), "tcp", l.target)
	if err != nil {
		return
	}
	var cut atomic.Bool // the next answer is the commit's: it does not come back
	var answers sync.WaitGroup
	defer answers.Wait()
	answers.Go(func() {
		defer near.Close() //nolint:errcheck // it is cut
		buffer := make([]byte, 1<<16)
		for {
			n, err := far.Read(buffer)
			if err != nil || cut.Load() {
				return
			}
			if _, err := near.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	defer far.Close() //nolint:errcheck // it is cut
	buffer := make([]byte, 1<<16)
	for {
		n, err := near.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], commit) && l.armed.CompareAndSwap(1, 0) {
			cut.Store(true)
			if !l.arrives {
				return
			}
		}
		if _, err := far.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// A commit that was sent and not answered is found out: it is durable, and the act is
// answered as one that was done; or it is undone, and may be sent again.
func TestSettle_FindsOutWhatBecameOfACommit(t *testing.T) {
	t.Parallel()
	for name, arrives := range map[string]bool{"it arrived": true, "it did not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			straight, w := migrated(t)
			l, config := cuttable(t, straight, arrives)
			p := serve(t, config, w)
			for range 8 {
				l.armed.Store(1)
				err := revokeToken(t, p, "at_1")
				if l.armed.Load() != 0 {
					t.Fatal("no commit was cut off")
				}
				if !arrives {
					known, ok := errors.AsType[*loop.Error](err)
					if !ok || known.RetryAfter == 0 || errors.Is(err, loop.ErrOutcomeUnknown) {
						t.Fatalf("nothing was written, and the answer is %v", err)
					}
					err = revokeToken(t, p, "at_1")
				}
				if err != nil {
					t.Fatalf("it was written, and the answer is %v", err)
				}
			}
			at, err := p.Epoch(t.Context())
			if err != nil || at.Counter != 8 {
				t.Errorf("8 revocations were answered, and %d are there, %v", at.Counter, err)
			}
		})
	}
}

// An act without an audit record leaves nothing that could be looked for.
func TestSettle_WhereNothingCanBeLookedForNobodyKnows(t *testing.T) {
	t.Parallel()
	straight, w := migrated(t)
	l, config := cuttable(t, straight, true)
	p := serve(t, config, w)
	l.armed.Store(1)
	err := p.Decide(t.Context(), oauth.Subject{}, func(oauth.State) (oauth.Change, error) {
		return oauth.Change{Notice: ""}, nil
	})
	if !errors.Is(err, loop.ErrOutcomeUnknown) {
		t.Errorf("got %v", err)
	}
}
