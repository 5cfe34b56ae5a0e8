package conformance

import (
	"net/http"
	"testing"
	"time"
)

// refreshes is how refresh tokens live on without rotation (FAPI 2.0 Security
// Profile §5.3.2.1).
var refreshes = []module{
	{"the answer carries the same refresh token, and it works 30 seconds later", notRotated},
	{"a new DPoP key is allowed", refreshWithANewKey},
	{"without client authentication it is refused", refreshByNobody},
	{"another client's refresh token is refused", refreshOfAnother},
	{"outside the profile, a public client's is bound to its DPoP key", refreshOfPublic},
}

func notRotated(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	for _, later := range []time.Duration{0, 30 * time.Second} {
		waitUntil(t, time.Now().Add(later))
		got := a.refresh(t, first.Refresh).granted(t)
		if got.Refresh != first.Refresh {
			t.Errorf("after %v the refresh token is another", later)
		}
		a.reads(t, got)
	}
	a.reads(t, first)
}

func refreshWithANewKey(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	anew := a.withKey(t)
	anew.reads(t, anew.refresh(t, first.Refresh).granted(t))
	a.reads(t, first)
}

func refreshByNobody(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	a.authenticating(public).refresh(t, first.Refresh).refused(t, http.StatusUnauthorized, "invalid_client")
	a.refresh(t, first.Refresh).granted(t)
}

func refreshOfAnother(t *testing.T, s *suite) {
	a, other := s.newFAPIApp(t), s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	other.refresh(t, first.Refresh).refused(t, http.StatusBadRequest, "invalid_grant")
	a.refresh(t, first.Refresh).granted(t)
}

func refreshOfPublic(t *testing.T, s *suite) {
	a := s.newApp(t, "--type", "public", "--dpop-bound")
	a.authenticate, a.dpop = public, newKey(t)
	first := a.flow(t, s.browser(t), a.request(), s.ada)
	a.withKey(t).refresh(t, first.Refresh).refusedForItsKey(t)
	a.refresh(t, first.Refresh).granted(t)
}
