package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/pagetest"
)

// The scenarios of the endpoints that an app calls beside the token endpoint's
// codes and refreshes.

// prepareIntrospect: the app asks about an access token of its own, of each
// person.
func prepareIntrospect(_ context.Context, who *person, w *wire, _ time.Duration) (operation, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	return repeat(w, http.StatusOK, who.introspectRequest()), nil
}

func scriptIntrospect(who *person, w *wire) ([]exchange, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	asked, err := w.record(who.introspectRequest(), who.platform.introspection)
	if err == nil && !bytes.Contains(asked.body, []byte(`"active":true`)) {
		err = fmt.Errorf("introspection says %s of a token that is new", asked.body)
	}
	return []exchange{asked}, err
}

func (who *person) introspectRequest() []byte {
	return who.platform.app().request(who.platform.introspection, url.Values{"token": {who.accessToken}})
}

// prepareUserInfo: the app reads who each person is.
func prepareUserInfo(_ context.Context, who *person, w *wire, _ time.Duration) (operation, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	return repeat(w, http.StatusOK, bearerRequest(who.platform.userInfo, who.accessToken)), nil
}

func scriptUserInfo(who *person, w *wire) ([]exchange, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	read, err := w.record(bearerRequest(who.platform.userInfo, who.accessToken), who.platform.userInfo)
	return []exchange{read}, err
}

// prepareService: one service gets tokens for itself, whoever asks.
func prepareService(_ context.Context, who *person, w *wire, _ time.Duration) (operation, error) {
	return repeat(w, http.StatusOK, who.platform.serviceRequest()), nil
}

func scriptService(who *person, w *wire) ([]exchange, error) {
	issued, err := w.record(who.platform.serviceRequest(), who.platform.token, identityAudit)
	return []exchange{issued}, err
}

func (p *platform) serviceRequest() []byte {
	return p.service.request(p.token, url.Values{"grant_type": {"client_credentials"}, "scope": {outsideScope}, "resource": {outsideResource}})
}

// preparePush: the app pushes an authorization request, and nobody comes to
// answer it.
func preparePush(_ context.Context, who *person, w *wire, _ time.Duration) (operation, error) {
	return repeat(w, http.StatusCreated, who.pushRequest()), nil
}

func scriptPush(who *person, w *wire) ([]exchange, error) {
	pushed, err := w.record(who.pushRequest(), who.platform.push, pushedRequests)
	return []exchange{pushed}, err
}

func (who *person) pushRequest() []byte {
	return who.platform.app().request(who.platform.push, who.request(pagetest.Verifier()))
}

// prepareRevoke: the access tokens are made beforehand, by as many refreshes as
// there is time for.
func prepareRevoke(ctx context.Context, who *person, w *wire, span time.Duration) (operation, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	var requests [][]byte
	for most := time.Now().Add(warmUp + span); time.Now().Before(most) && ctx.Err() == nil; {
		if err := who.refresh(w); err != nil {
			return nil, err
		}
		requests = append(requests, who.revokeRequest())
	}
	return each(w, http.StatusOK, requests), nil
}

func scriptRevoke(who *person, w *wire) ([]exchange, error) {
	if err := who.renew(w); err != nil {
		return nil, err
	}
	revoked, err := w.record(who.revokeRequest(), who.platform.revocation, revocations, revocationCount, identityAudit)
	return []exchange{revoked}, err
}

func (who *person) revokeRequest() []byte {
	return who.platform.app().request(who.platform.revocation, url.Values{"token": {who.accessToken}})
}

// repeat sends one request again and again.
func repeat(w *wire, status int, request []byte) operation {
	return func() error { return w.expect(status, request) }
}

// each sends the requests one after another, and then no more.
func each(w *wire, status int, requests [][]byte) operation {
	return func() error {
		if len(requests) == 0 {
			return errSpent
		}
		next := requests[0]
		requests = requests[1:]
		return w.expect(status, next)
	}
}
