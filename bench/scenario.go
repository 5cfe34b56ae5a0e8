package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/pagetest"
)

// scenario is one thing that is measured.
type scenario struct {
	name string
	// prepare gives the person's operation, driven over one connection.
	prepare func(ctx context.Context, who *person, w *wire, span time.Duration) (operation, error)
	// script does the operation once and returns what went over the wire: the
	// ceilings answer the same requests with the same bytes.
	script func(who *person, w *wire) ([]exchange, error)
}

// exchange is a request, what it was answered with, and the tables that got or
// changed a row for it, one name a row.
type exchange struct {
	request  []byte
	path     string
	status   int
	location string
	body     []byte
	writes   []string
}

// The tables that the scenarios write to.
const (
	identityAudit   = "identity.db audit_records"
	clinicalAudit   = "clinical.db audit_records"
	chains          = "identity.db chains"
	pushedRequests  = "identity.db pushed_requests"
	revocations     = "identity.db revocations"
	revocationCount = "identity.db revocation_counter"
)

// errSpent ends an operation that has nothing left to do.
var errSpent = errors.New("nothing left to do")

var scenarios = []scenario{
	{name: "refresh", prepare: prepareRefresh, script: scriptRefresh},
	{name: "redeem", prepare: prepareRedeem, script: scriptRedeem},
	{name: "code_flow", prepare: prepareCodeFlow, script: scriptCodeFlow},
	{name: "biomarkers_me", prepare: prepareRead, script: scriptRead},
	{name: "introspect", prepare: prepareIntrospect, script: scriptIntrospect},
	{name: "userinfo", prepare: prepareUserInfo, script: scriptUserInfo},
	{name: "client_credentials", prepare: prepareService, script: scriptService},
	{name: "par", prepare: preparePush, script: scriptPush},
	{name: "revoke", prepare: prepareRevoke, script: scriptRevoke}, // the last: what it revokes stays in memory
}

// prepareRefresh: each person refreshes their own chain, client authentication
// and rotation included.
func prepareRefresh(_ context.Context, who *person, w *wire, _ time.Duration) (operation, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	return func() error { return who.refresh(w) }, nil
}

func scriptRefresh(who *person, w *wire) ([]exchange, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	refresh, err := w.record(who.refreshRequest(), who.platform.token, chains, identityAudit)
	return []exchange{refresh}, err
}

// renew starts a new chain, whatever became of the last.
func (who *person) renew(w *wire) error {
	verifier := pagetest.Verifier()
	code, err := who.authorize(w, verifier)
	if err != nil {
		return err
	}
	return who.redeem(w, code, verifier)
}

// prepareRedeem: codes are made beforehand, as many as a person can redeem in
// the span; they live for a minute.
func prepareRedeem(ctx context.Context, who *person, w *wire, span time.Duration) (operation, error) {
	var requests [][]byte
	most := time.Now().Add(min(span, 20*time.Second)) // so that the first still lives when its turn comes
	for time.Now().Before(most) && ctx.Err() == nil {
		verifier := pagetest.Verifier()
		code, err := who.authorize(w, verifier)
		if err != nil {
			return nil, err
		}
		requests = append(requests, who.redeemRequest(code, verifier))
	}
	return func() error {
		if len(requests) == 0 {
			return errSpent
		}
		next := requests[0]
		requests = requests[1:]
		return who.take(w, next)
	}, nil
}

func scriptRedeem(who *person, w *wire) ([]exchange, error) {
	verifier := pagetest.Verifier()
	code, err := who.authorize(w, verifier)
	if err != nil {
		return nil, err
	}
	// The new chain, the one that it replaces, the record.
	redeem, err := w.record(who.redeemRequest(code, verifier), who.platform.token, chains, chains, identityAudit)
	return []exchange{redeem}, err
}

// prepareCodeFlow: authorize with remembered consent, then redeem.
func prepareCodeFlow(_ context.Context, who *person, w *wire, _ time.Duration) (operation, error) {
	return func() error { return who.renew(w) }, nil
}

func scriptCodeFlow(who *person, w *wire) ([]exchange, error) {
	authorize, err := w.record(who.authorizeRequest(pagetest.Verifier()), who.platform.authorize, identityAudit)
	if err != nil {
		return nil, err
	}
	redeem, err := scriptRedeem(who, w)
	return append([]exchange{authorize}, redeem...), err
}

// prepareRead: everybody reads the lab results of the one member who has some.
func prepareRead(ctx context.Context, who *person, w *wire, _ time.Duration) (operation, error) {
	if err := w.reach(ctx, who.platform.biomarkers.Host); err != nil {
		return nil, err
	}
	request := who.readRequest(who.platform.reader.accessToken)
	return repeat(w, http.StatusOK, request), nil
}

func scriptRead(who *person, w *wire) ([]exchange, error) {
	if err := who.platform.reader.renew(w); err != nil {
		return nil, err
	}
	if err := w.reach(context.Background(), who.platform.biomarkers.Host); err != nil {
		return nil, err
	}
	read, err := w.record(who.readRequest(who.platform.reader.accessToken), who.platform.biomarkers, clinicalAudit)
	return []exchange{read}, err
}

// record exchanges a request and keeps everything about it.
func (w *wire) record(request []byte, address *url.URL, writes ...string) (exchange, error) {
	status, err := w.exchange(request)
	if err != nil {
		return exchange{}, err
	}
	if status >= 400 {
		return exchange{}, fmt.Errorf("%s answered %d: %s", address.Path, status, w.body)
	}
	return exchange{
		request: request, path: address.Path, status: status, location: w.target,
		body: append([]byte(nil), w.body...), writes: writes,
	}, nil
}

// compare measures the scenario, and then its ceilings with the same requests: the
// durable one where it writes.
func (s scenario) compare(ctx context.Context, p *platform, people []*person, span time.Duration) (result, error) {
	found := result{Name: s.name, Engine: p.engine, Concurrency: len(people)}
	w, err := dial(ctx, p.token.Host)
	if err != nil {
		return found, err
	}
	exchanges, err := s.script(people[0], w)
	_ = w.conn.Close()
	if err != nil {
		return found, err
	}
	measured, err := s.drive(ctx, p, people, span)
	if err != nil {
		return found, err
	}
	found.take(measured)
	ceilings := []bool{false}
	if slices.ContainsFunc(exchanges, func(e exchange) bool { return len(e.writes) > 0 }) {
		ceilings = append(ceilings, true)
	}
	for _, durable := range ceilings {
		sample, err := measureCeiling(ctx, p, exchanges, durable, len(people), span)
		if err != nil {
			return found, fmt.Errorf("measuring a ceiling: %w", err)
		}
		found.takeCeiling(sample, durable)
	}
	return found, nil
}

// drive measures the scenario, each person on a connection of their own.
func (s scenario) drive(ctx context.Context, p *platform, people []*person, span time.Duration) (sample, error) {
	wires, err := dialAll(ctx, len(people), p.token.Host)
	if err != nil {
		return sample{}, err
	}
	defer closeAll(wires)
	operations, err := s.prepareAll(ctx, people, wires, span)
	if err != nil {
		return sample{}, err
	}
	before, err := p.usage(ctx)
	if err != nil {
		return sample{}, err
	}
	name := fmt.Sprintf("%s-%s-%d", s.name, p.engine, len(people))
	found, err := p.profiled(ctx, name, span, func() sample { return measure(ctx, operations, span) })
	if err != nil {
		return found, err
	}
	after, err := p.usage(ctx)
	found.spent = after.minus(before)
	return found, err
}

func (s scenario) prepareAll(ctx context.Context, people []*person, wires []*wire, span time.Duration) ([]operation, error) {
	operations, errs := make([]operation, len(people)), make([]error, len(people))
	var group sync.WaitGroup
	for i, who := range people {
		group.Go(func() { operations[i], errs[i] = s.prepare(ctx, who, wires[i], span) })
	}
	group.Wait()
	return operations, errors.Join(errs...)
}

// measureCeiling drives a ceiling with the scenario's own requests.
func measureCeiling(ctx context.Context, p *platform, exchanges []exchange, durable bool, workers int, span time.Duration) (sample, error) {
	plan := ceiling{Durable: durable, Database: p.database}
	for _, e := range exchanges {
		sizes, err := p.rowSizes(ctx, e.writes)
		if err != nil {
			return sample{}, err
		}
		plan.Steps = append(plan.Steps, step{Path: e.path, Status: e.status, Location: e.location, Body: e.body, Rows: sizes})
	}
	address, stop, err := startCeiling(ctx, plan)
	if err != nil {
		return sample{}, err
	}
	defer stop()
	wires, err := dialAll(ctx, workers, address)
	if err != nil {
		return sample{}, err
	}
	defer closeAll(wires)
	operations := make([]operation, workers)
	for i, w := range wires {
		operations[i] = func() error {
			for _, e := range exchanges {
				if status, err := w.exchange(e.request); err != nil || status != e.status {
					return fmt.Errorf("a ceiling answered %d: %w", status, err)
				}
			}
			return nil
		}
	}
	found := measure(ctx, operations, span)
	return found, found.first
}

func dialAll(ctx context.Context, n int, address string) ([]*wire, error) {
	wires := make([]*wire, n)
	for i := range wires {
		var err error
		if wires[i], err = dial(ctx, address); err != nil {
			closeAll(wires[:i])
			return nil, err
		}
	}
	return wires, nil
}

func closeAll(wires []*wire) {
	for _, w := range wires {
		_ = w.conn.Close()
	}
}
