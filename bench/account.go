package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/pagetest"
)

// The member of the account pages has allowed so many apps, which read so much.
const (
	accountApps  = 20
	accountReads = 10_000
	accountAt    = 16 // pages at a time
)

// measureAccount measures the list of a member's apps beside the bare handler, and
// whether the time of an answer shows who has an account.
func measureAccount(ctx context.Context, p *platform, span time.Duration, stdout io.Writer) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	defer p.close()
	people, err := p.people(ctx, accountAt)
	if err != nil {
		return err
	}
	if err := people[0].connectApps(ctx); err != nil {
		return err
	}
	select { // until the platform has counted the reads, which it does each minute
	case <-time.After(2 * time.Minute):
	case <-ctx.Done():
		return ctx.Err()
	}
	printHeader(stdout, p.engine)
	found, err := appsPage(people[0]).compare(ctx, p, people, span)
	if err != nil {
		return err
	}
	found.print(stdout)
	return compareAddresses(ctx, p, stdout)
}

// appsPage is the page of one member's apps, whoever asks.
func appsPage(member *person) scenario {
	at := member.platform.authorize.ResolveReference(&url.URL{Path: "/account/apps"})
	request := getRequest(at, "Cookie", member.cookies)
	return scenario{
		name: "account_apps",
		prepare: func(_ context.Context, _ *person, w *wire, _ time.Duration) (operation, error) {
			return repeat(w, http.StatusOK, request), nil
		},
		script: func(_ *person, w *wire) ([]exchange, error) {
			shown, err := w.record(request, at)
			if listed := strings.Count(string(shown.body), `href="/account/apps/`); err == nil && listed < accountApps {
				err = fmt.Errorf("%s lists %d apps, not %d", at, listed, accountApps)
			}
			return []exchange{shown}, err
		},
	}
}

// connectApps has the member allow apps until there are enough, and each of them read
// its share.
func (who *person) connectApps(ctx context.Context) error {
	errs := make([]error, accountApps)
	var group sync.WaitGroup
	for i := range errs {
		user, err := who.ofAnotherApp(ctx, i)
		if err != nil {
			return err
		}
		group.Go(func() { errs[i] = user.read(ctx, accountReads/accountApps) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// ofAnotherApp is the same member with a new app, which they have allowed.
func (who *person) ofAnotherApp(ctx context.Context, number int) (*person, error) {
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err := who.platform.administer(ctx, &made, "client", "create", "--name", fmt.Sprintf("Bench %d", number),
		"--redirect-uri", who.platform.env["LOOP_REDIRECT_URI"], "--scope", "openid profile read:biomarkers")
	if err != nil {
		return nil, err
	}
	own := *who.platform
	own.env = maps.Clone(own.env)
	own.env["LOOP_CLIENT_ID"], own.env["LOOP_CLIENT_SECRET"] = made.ID, made.Secret
	user := &person{platform: &own, email: who.email, password: who.password}
	return user, user.arrive(ctx)
}

// read reads the member's lab results so many times.
func (who *person) read(ctx context.Context, times int) error {
	w, err := dial(ctx, who.platform.biomarkers.Host)
	if err != nil {
		return err
	}
	defer func() { _ = w.conn.Close() }()
	request := who.readRequest(who.accessToken)
	for range times {
		if err := w.expect(http.StatusOK, request); err != nil {
			return err
		}
	}
	return nil
}

// addressForm is a form that takes an address, which may have an account.
type addressForm struct {
	path, button string
	fill         func(form url.Values, email string)
}

var addressForms = []addressForm{
	{"/signin", "sign-in", func(form url.Values, email string) {
		form.Set("email", email)
		form.Set("password", "not the password")
	}},
	{"/signup", "sign-up", func(form url.Values, email string) {
		form.Set("email", email)
		form.Set("name", "Bench")
		form.Set("password", "orbit paper pencil window")
	}},
	{"/forgot-password", "send-link", func(form url.Values, email string) { form.Set("email", email) }},
}

// Each form is sent so often for addresses with an account and as often for others, in
// turn; each account has so many tries, of which none has to wait.
const (
	addressTries = 200
	triesEach    = 2
)

// compareAddresses prints how long each form takes for an address with an account, and
// for one without.
func compareAddresses(ctx context.Context, p *platform, stdout io.Writer) error {
	known := make([]string, addressTries/triesEach)
	for i := range known {
		var err error
		if known[i], _, err = p.account(ctx, 1000+i); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "\nForms that take an address, sent %d times for accounts and twice as often for others, in turn, on %s\n\n", addressTries, p.engine)
	fmt.Fprintln(stdout, "| form | with an account, median ms | without | the same again | with to without |\n| --- | ---: | ---: | ---: | ---: |")
	for _, form := range addressForms {
		took, err := form.compare(ctx, p, known)
		if err != nil {
			return fmt.Errorf("%s: %w", form.path, err)
		}
		fmt.Fprintf(stdout, "| %s | %.2f | %.2f | %.2f | %+.1f %% |\n", form.path, milliseconds(took[0]), milliseconds(took[1]), milliseconds(took[2]), 100*(float64(took[0])/float64(took[1])-1))
	}
	return nil
}

// compare gives the median of an answer for an address with an account, and twice for
// one without: what these two differ by is noise. Whose turn is first changes.
func (f addressForm) compare(ctx context.Context, p *platform, known []string) (medians [3]time.Duration, err error) {
	var took [3][]time.Duration
	for i := range addressTries {
		for turn := range took {
			kind := (i + turn) % len(took)
			email := fmt.Sprintf("%s%d-%d@nowhere.example.com", f.button, kind, i)
			if kind == 0 {
				email = known[i%len(known)]
			}
			one, err := f.send(ctx, p, email, fmt.Sprintf("2001:db8:%x:%x::1", kind+1, i))
			if err != nil {
				return medians, err
			}
			took[kind] = append(took[kind], one)
		}
	}
	for kind := range took {
		slices.Sort(took[kind])
		medians[kind] = took[kind][addressTries/2]
	}
	return medians, nil
}

// send opens the page in a browser of its own, fills the form in and gives how long the
// answer to it took. It comes from a network of its own, which a proxy names.
func (f addressForm) send(ctx context.Context, p *platform, email, network string) (time.Duration, error) {
	b, err := newBrowser()
	if err != nil {
		return 0, err
	}
	at := p.authorize.ResolveReference(&url.URL{Path: f.path})
	seen, err := b.send(ctx, http.MethodGet, at, nil)
	if err != nil {
		return 0, err
	}
	form, err := pagetest.Press(bytes.NewReader(seen.body), f.button)
	if err != nil || form == nil {
		return 0, errors.Join(err, fmt.Errorf("%s has no button %s", at, f.button))
	}
	f.fill(form.Values, email)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), strings.NewReader(form.Values.Encode()))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Forwarded-For", network)
	begun := time.Now()
	answer, err := b.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, answer.Body)
	took := time.Since(begun)
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= http.StatusInternalServerError {
		err = errors.Join(err, fmt.Errorf("it is answered %d", answer.StatusCode))
	}
	b.http.CloseIdleConnections()
	return took, err
}
