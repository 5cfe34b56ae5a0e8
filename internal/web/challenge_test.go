package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestChallenge(t *testing.T) {
	scoped := loop.Errorf(loop.InsufficientScope, "The token lacks a scope.")
	scoped.Scope = loop.NewScopes(loop.ScopeReadBiomarkers)
	stale := loop.Errorf(loop.InsufficientUserAuthentication, "The sign-in is too old.")
	stale.MaxAge = 5 * time.Minute
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"RFC 6750 §3.1 without a token no error": {loop.Errorf(loop.Unauthenticated, "x"), `Bearer realm="Loop"`},
		"invalid_token":                           {loop.Errorf(loop.InvalidToken, "x"), `Bearer realm="Loop", error="invalid_token"`},
		"invalid_request":                         {loop.Errorf(loop.InvalidRequest, "x"), `Bearer realm="Loop", error="invalid_request"`},
		"insufficient_scope names the scope":      {scoped, `Bearer realm="Loop", error="insufficient_scope", scope="read:biomarkers"`},
		"RFC 9470 §3 how old the sign-in may be":  {stale, `Bearer realm="Loop", error="insufficient_user_authentication", max_age="300"`},
		"a fault of the parameters: no challenge": {loop.Errorf(loop.ValidationError, "x"), ""},
		"a fault of ours: no challenge":           {errors.New("disk full"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			if err := new(Resource).challenge(w, r, Access{Scope: loop.ScopeReadBiomarkers}, test.err); !errors.Is(err, test.err) {
				t.Errorf("the error became %v", err)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != test.want {
				t.Errorf("the challenge is %q, want %q", got, test.want)
			}
		})
	}
}
