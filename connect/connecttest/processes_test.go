package connecttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/connect/connecttest"
)

// task is what a helper process of the test is to do.
type task struct {
	Kind, Place                          string
	Key                                  []byte
	Issuer, API, ClientID, Secret, Redir string
	Now                                  time.Time // the time of the platform, which stands
	Members                              []string
	Each                                 int // goroutines for each member
}

// helpers are what this test binary does where it is started as another process.
var helpers = map[string]func() int{"tokens": helpWithTokens}

// helpWithTokens asks for every member's tokens, as often as it is asked to at once.
func helpWithTokens() int {
	var do task
	if err := json.NewDecoder(os.Stdin).Decode(&do); err != nil {
		return complain(err)
	}
	ctx := context.Background()
	store, err := where{do.Kind, do.Place}.store(ctx, connect.NewKeyRing(do.Key))
	if err != nil {
		return complain(err)
	}
	client, err := connect.New(connect.Config{
		Issuer: do.Issuer, API: do.API, ClientID: do.ClientID, ClientSecret: connect.Secret(do.Secret), RedirectURL: do.Redir,
		Store: store, Now: func() time.Time { return do.Now },
	})
	if err != nil {
		return complain(err)
	}
	fmt.Println("ready")
	_, _ = io.ReadAll(os.Stdin) // until the test lets all of them go at once
	var all sync.WaitGroup
	faults := make(chan error, len(do.Members)*do.Each)
	gate := make(chan struct{}, 64)
	for _, member := range do.Members {
		for range do.Each {
			all.Go(func() {
				gate <- struct{}{}
				defer func() { <-gate }()
				tokens, err := client.Tokens(ctx, member)
				if err == nil && tokens.Access == "" {
					err = errors.New("no token")
				}
				faults <- err
			})
		}
	}
	all.Wait()
	close(faults)
	status := 0
	for err := range faults {
		if err != nil {
			status = complain(err)
		}
	}
	return status
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// startHelpers starts processes that are ready; the function lets them go and waits.
func startHelpers(t *testing.T, count int, do task) (run func()) {
	t.Helper()
	text, err := json.Marshal(do)
	if err != nil {
		t.Fatal(err)
	}
	type started struct {
		cmd    *exec.Cmd
		stdin  io.WriteCloser
		stderr *strings.Builder
	}
	all := make([]started, count)
	for i := range all {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "CONNECT_TEST_HELPER=tokens")
		one := started{cmd: cmd, stderr: &strings.Builder{}}
		cmd.Stderr = one.stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if one.stdin, err = cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := one.stdin.Write(append(text, '\n')); err != nil {
			t.Fatal(err)
		}
		ready := make([]byte, len("ready\n"))
		if _, err := io.ReadFull(stdout, ready); err != nil {
			_ = cmd.Wait()
			t.Fatalf("a process did not begin: %v: %s", err, one.stderr)
		}
		all[i] = one
	}
	return func() {
		t.Helper()
		for _, one := range all {
			_ = one.stdin.Close()
		}
		for _, one := range all {
			if err := one.cmd.Wait(); err != nil {
				t.Errorf("a process: %v: %s", err, one.stderr)
			}
		}
	}
}

// connected is a platform with members who have connected an app whose store lasts.
func connected(t *testing.T, place where, members int) (*connecttest.Platform, task) {
	t.Helper()
	p := connecttest.New(t)
	config := p.NewApp(t, callback)
	do := task{
		Kind: place.kind, Place: place.place, Key: connect.NewKeyBytes(), Issuer: config.Issuer, API: config.API,
		ClientID: config.ClientID, Secret: string(config.ClientSecret), Redir: callback,
	}
	config.Store = place.open(t, connect.NewKeyRing(do.Key))
	client := newClient(t, config)
	for i := range members {
		m := p.AddMember(t, fmt.Sprint("Member", i))
		if _, err := p.Connect(t, client, m); err != nil {
			t.Fatal(err)
		}
		do.Members = append(do.Members, m.ID)
	}
	return p, do
}

// Eight processes of 64 goroutines each want the tokens of one member, which have
// expired: one refreshes, and nothing looks like theft.
func TestTokens_OfManyProcessesOneRefreshes(t *testing.T) {
	t.Parallel()
	for _, place := range places(t) {
		t.Run(place.kind, func(t *testing.T) {
			t.Parallel()
			p, do := connected(t, place, 1)
			p.Clock.Advance(2 * time.Hour)
			do.Now, do.Each = p.Clock.Now(), 64
			startHelpers(t, 8, do)()
			if asked, answered := p.Refreshes(); asked != 1 || answered != 1 {
				t.Errorf("%d refreshes were asked for, and %d answered", asked, answered)
			}
		})
	}
}

// A day of an app with many members in eight processes: each hour every process wants
// every member's tokens. There are as many refreshes as there must be.
func TestTokens_OverADayThereAreAsManyRefreshesAsNeeded(t *testing.T) {
	t.Parallel()
	members, hours := 50, 6
	if os.Getenv("LOOP_TEST_LONG") == "true" {
		members, hours = 1000, 24
	}
	p, do := connected(t, places(t)[2], members)
	do.Each = 1
	for range hours {
		p.Clock.Advance(time.Hour + time.Minute)
		do.Now = p.Clock.Now()
		startHelpers(t, 8, do)()
	}
	asked, answered := p.Refreshes()
	if want := int64(members * hours); asked != want || answered != want {
		t.Errorf("%d refreshes were asked for and %d answered, of %d that were needed", asked, answered, want)
	}
	t.Logf("%d members, %d hours, 8 processes: %d refreshes", members, hours, answered)
}
