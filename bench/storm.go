package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/pagetest"
)

// A storm is so many sign-ins a second, each with the right password and so with a
// hash that costs tens of milliseconds, while apps go on refreshing.
const (
	signInsPerSecond = 200
	stormAt          = 16 // refreshes at a time
)

// measureStorm measures refreshes in calm and in a storm, and prints both.
func measureStorm(ctx context.Context, p *platform, span time.Duration, stdout io.Writer) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	defer p.close()
	people, err := p.people(ctx, stormAt)
	if err != nil {
		return err
	}
	refresh, err := choose("refresh")
	if err != nil {
		return err
	}
	calm, err := refresh[0].drive(ctx, p, people, span)
	if err != nil {
		return err
	}
	s, err := newStorm(ctx, people)
	if err != nil {
		return err
	}
	blowing, stop := context.WithCancel(ctx)
	var over sync.WaitGroup
	over.Go(func() { s.blow(blowing) })
	stormy, err := refresh[0].drive(ctx, p, people, span)
	stop()
	over.Wait()
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nRefreshes at %d at a time, beside %d sign-ins a second, on %s\n\n", stormAt, signInsPerSecond, p.engine)
	fmt.Fprintln(stdout, "| | per second | p50 ms | p99 ms | errors |\n| --- | ---: | ---: | ---: | ---: |")
	for i, found := range []sample{calm, stormy} {
		fmt.Fprintf(stdout, "| %s | %.0f | %.2f | %.2f | %d |\n", []string{"calm", "storm"}[i], found.perSecond, milliseconds(found.p50), milliseconds(found.p99), found.errors)
		printFirst(stdout, found.first)
	}
	fmt.Fprintf(stdout, "\nThat is %.0f %% of calm. Of %d sign-ins %d were answered with a session, %d otherwise, %d had no answer within %s. The platform's memory: %s.\n",
		100*stormy.perSecond/calm.perSecond, s.sent.Load(), s.signedIn.Load(), s.refused.Load(), s.lost.Load(), patience, residentMemory(p.server.Process.Pid))
	return nil
}

// storm is sign-ins without end.
type storm struct {
	address string
	cookies string // of somebody who has not signed in
	forms   []url.Values
	browser *http.Client

	sent, signedIn, refused, lost atomic.Int64
}

// newStorm opens the sign-in page once, and fills it in for each person.
func newStorm(ctx context.Context, people []*person) (*storm, error) {
	stranger, err := newBrowser()
	if err != nil {
		return nil, err
	}
	at := people[0].platform.authorize.ResolveReference(&url.URL{Path: "/signin"})
	seen, err := stranger.send(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	s := &storm{address: at.String(), cookies: stranger.cookies(at), browser: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: signInsPerSecond}, CheckRedirect: stranger.http.CheckRedirect,
	}}
	for _, who := range people {
		form, err := pagetest.Press(bytes.NewReader(seen.body), "sign-in")
		if err != nil || form == nil {
			return nil, errors.Join(err, fmt.Errorf("%s has no form to sign in", s.address))
		}
		form.Values.Set("email", who.email)
		form.Values.Set("password", who.password)
		s.forms = append(s.forms, form.Values)
	}
	return s, nil
}

// blow sends sign-ins at their rate, whether or not those before are answered.
func (s *storm) blow(ctx context.Context) {
	tick := time.NewTicker(time.Second / signInsPerSecond)
	defer tick.Stop()
	var all sync.WaitGroup
	defer all.Wait()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			all.Go(func() { s.signIn(context.WithoutCancel(ctx), s.forms[n%len(s.forms)]) })
		}
	}
}

func (s *storm) signIn(ctx context.Context, form url.Values) {
	s.sent.Add(1)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, strings.NewReader(form.Encode()))
	if err != nil {
		s.lost.Add(1)
		return
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", s.cookies)
	answer, err := s.browser.Do(request)
	if err != nil {
		s.lost.Add(1)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode == http.StatusSeeOther {
		s.signedIn.Add(1)
	} else {
		s.refused.Add(1)
	}
}

// residentMemory is what a process holds of the machine's memory, and held at most,
// where the system reports it.
func residentMemory(pid int) string {
	path := fmt.Sprintf("/proc/%d/status", pid)
	if _, err := os.Stat(path); err != nil {
		return "unknown here"
	}
	return strings.Join(procLines(path, "VmRSS"), "") + ", at most " + strings.Join(procLines(path, "VmHWM"), "")
}
