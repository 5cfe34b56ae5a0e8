package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestReached_WaitsForAServerThatIsNotUpYetAndForNothingElse(t *testing.T) {
	t.Parallel()
	refused := connectFault(&net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5432}, Err: errors.New("connection refused")})
	starts := connectFault(&pgconn.PgError{Code: startingUp, Message: "the database system is starting up"})
	unknown := connectFault(&net.DNSError{Name: "db.example.com"})
	wrong := connectFault(&pgconn.PgError{Code: wrongPassword, Message: "password authentication failed"})
	for name, c := range map[string]struct {
		wait   time.Duration
		faults []error // one after the other; the last stays
		tries  int
		err    error
		said   int
	}{
		"it is up":                {time.Minute, []error{nil}, 1, nil, 0},
		"it comes up":             {time.Minute, []error{unknown, refused, starts, nil}, 4, nil, 1},
		"it never does":           {10 * time.Second, []error{refused}, 21, refused, 1},
		"the password is wrong":   {time.Minute, []error{wrong}, 1, wrong, 0},
		"and found so when it is": {time.Minute, []error{starts, wrong}, 2, wrong, 1},
		"nobody waits":            {0, []error{refused}, 1, refused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				tries := 0
				_, err := reached(t.Context(), Config{Wait: c.wait, Log: slog.New(slog.NewTextHandler(&out, nil))}, func() (int, error) {
					fault := c.faults[min(tries, len(c.faults)-1)]
					tries++
					return tries, fault
				})
				if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || tries != c.tries || strings.Count(out.String(), "waiting for it") != c.said {
					t.Errorf("%v after %d tries: %s", err, tries, out.String())
				}
			})
		})
	}
}

func TestReached_EndsWithTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		_, err := reached(ctx, Config{Wait: time.Hour, Log: slog.New(slog.DiscardHandler)}, func() (int, error) {
			if tries++; tries == 3 {
				cancel()
			}
			return 0, connectFault(&net.DNSError{})
		})
		if err == nil || tries != 3 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

func TestConnectFault_IsOneSentenceThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cause error
		says  string
	}{
		{&pgconn.PgError{Code: wrongPassword, Message: "password authentication failed for user \"u\""}, "refuses the user or the password"},
		{&pgconn.PgError{Code: noDatabase, Message: `database "lop" does not exist`}, `database "lop" does not exist: create it`},
		{&pgconn.PgError{Code: tooManyClients, Message: "sorry, too many clients already"}, "raise its max_connections"},
		{&pgconn.PgError{Code: "0A000", Message: "unsupported"}, "unsupported (0A000)"},
		{&net.DNSError{Name: "db.example.com"}, "the name db.example.com is not known"},
		{fmt.Errorf("two\nlines: %w", &net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Err: errors.New("refused")}), "nobody answers at 127.0.0.1:1"},
	} {
		if got := connectFault(c.cause).Error(); !strings.Contains(got, c.says) || strings.Contains(got, "\n") {
			t.Errorf("it says %q, want %q", got, c.says)
		}
	}
}
