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
	signInsEach      = 40 // of one account: after 60 it would have to wait
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
	s, err := newStorm(ctx, p, int(signInsPerSecond*(warmUp+span)/time.Second)/signInsEach+1)
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
	fmt.Fprintf(stdout, "\nThat is %.0f %% of calm. Of %d sign-ins %d were answered with a session, %d with 503 (too many wait for a hash), %d with 429, %d otherwise, %d had no answer within %s. The platform's memory: %s.\n",
		100*stormy.perSecond/calm.perSecond, s.sent.Load(), s.signedIn.Load(), s.busy.Load(), s.limited.Load(), s.other.Load(), s.lost.Load(), patience, residentMemory(p.server.Process.Pid))
	return nil
}

// storm is sign-ins without end.
type storm struct {
	address string
	cookies string // of somebody who has not signed in
	forms   []url.Values
	browser *http.Client

	sent, signedIn, busy, limited, other, lost atomic.Int64
}

// newStorm makes so many accounts, opens the sign-in page once, and fills it in for each.
func newStorm(ctx context.Context, p *platform, accounts int) (*storm, error) {
	stranger, err := newBrowser()
	if err != nil {
		return nil, err
	}
	at := p.authorize.ResolveReference(&url.URL{Path: "/signin"})
	seen, err := stranger.send(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	s := &storm{address: at.String(), cookies: stranger.cookies(at), browser: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: signInsPerSecond}, CheckRedirect: stranger.http.CheckRedirect,
	}}
	for i := range accounts {
		email, password, err := p.account(ctx, stormAt+i)
		if err != nil {
			return nil, err
		}
		form, err := pagetest.Press(bytes.NewReader(seen.body), "sign-in")
		if err != nil || form == nil {
			return nil, errors.Join(err, fmt.Errorf("%s has no form to sign in", s.address))
		}
		form.Values.Set("email", email)
		form.Values.Set("password", password)
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
			all.Go(func() { s.signIn(context.WithoutCancel(ctx), n%len(s.forms)) })
		}
	}
}

// signIn signs an account in, each from a network of its own, which a proxy names: of
// one network no more than 50 tries are judged at once.
func (s *storm) signIn(ctx context.Context, account int) {
	s.sent.Add(1)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, strings.NewReader(s.forms[account].Encode()))
	if err != nil {
		s.lost.Add(1)
		return
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", s.cookies)
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("2001:db8:0:%x::1", account))
	answer, err := s.browser.Do(request)
	if err != nil {
		s.lost.Add(1)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	switch answer.StatusCode {
	case http.StatusSeeOther:
		s.signedIn.Add(1)
	case http.StatusServiceUnavailable:
		s.busy.Add(1)
	case http.StatusTooManyRequests:
		s.limited.Add(1)
	default:
		s.other.Add(1)
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
