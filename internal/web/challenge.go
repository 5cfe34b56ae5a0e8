package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
)

// refusedByResource is an error with the status that a resource gives it: a proof
// that is refused is a 401 there, and a 400 at the token endpoint.
type refusedByResource struct{ refusal *loop.Error }

// Error gives the text of the error within.
func (e refusedByResource) Error() string { return e.refusal.Error() }

// Unwrap gives the error within.
func (e refusedByResource) Unwrap() error { return e.refusal }

// challenge sets WWW-Authenticate for an error that has to do with the access
// token, and gives the error back with its status at a resource (RFC 6750 §3).
// Without a token the challenge carries no error (§3.1). It names what the address needs
// where the resource is described, so that who finds both can begin an authorization.
func (res *Resource) challenge(w http.ResponseWriter, r *http.Request, needs Access, err error) error {
	e := loop.AsError(err)
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	algorithms := strings.Join(clientjwt.Algorithms(), " ") // RFC 9449 §7.1: of proofs
	byDPoP := strings.EqualFold(scheme, schemeDPoP)
	params := []string{`realm="Loop"`}
	switch e.Code {
	case loop.Unauthenticated:
	case loop.InvalidToken, loop.InvalidRequest, loop.InvalidDPoPProof, loop.UseDPoPNonce:
		params = append(params, `error="`+string(e.Code)+`"`)
	case loop.InsufficientScope:
		params = append(params, `error="`+string(e.Code)+`"`, `scope="`+e.Scope.String()+`"`)
	case loop.InsufficientUserAuthentication: // RFC 9470 §3
		params = append(params, `error="`+string(e.Code)+`"`, `max_age="`+strconv.FormatInt(int64(e.MaxAge.Seconds()), 10)+`"`)
	default:
		return err
	}
	if res.Metadata != "" {
		if (e.Code == loop.Unauthenticated || e.Code == loop.InvalidToken) && needs.Scope != "" {
			params = append(params, `scope="`+string(needs.Scope)+`"`)
		}
		params = append(params, `resource_metadata="`+res.Metadata+`"`)
	}
	if byDPoP {
		w.Header().Set("WWW-Authenticate", "DPoP "+strings.Join(append(params, `algs="`+algorithms+`"`), ", "))
	} else {
		w.Header().Set("WWW-Authenticate", "Bearer "+strings.Join(params, ", "))
		if e.Code == loop.Unauthenticated || e.Code == loop.InvalidToken {
			w.Header().Add("WWW-Authenticate", `DPoP realm="Loop", algs="`+algorithms+`"`) // RFC 9449 §7.1: the other way
		}
	}
	return refusedByResource{e}
}
