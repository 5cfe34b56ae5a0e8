package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// maxTokenLength bounds an access token; ours are far shorter.
const maxTokenLength = 2048

// AccessToken reads the access token from the request's Authorization header with
// the scheme that it came by, Bearer (RFC 6750 §2.1) or DPoP (RFC 9449 §7.1): not
// from the address, which ends up in histories and logs. Without a token the
// error is Unauthenticated; for a header that is not well formed, two of them or
// a token in the address InvalidRequest. Pass either to Challenge.
func AccessToken(r *http.Request) (scheme, token string, err error) {
	if query, _ := url.ParseQuery(r.URL.RawQuery); query.Has("access_token") {
		return "", "", loop.Errorf(loop.InvalidRequest, "An access token in the address can be read in histories and logs. Send it as Authorization: Bearer TOKEN, and get a new one: this one should be revoked.")
	}
	sent := r.Header.Values("Authorization")
	if len(sent) > 1 {
		return "", "", loop.Errorf(loop.InvalidRequest, "There are %d Authorization headers. Send one.", len(sent))
	}
	if len(sent) == 0 || sent[0] == "" {
		return "", "", loop.Errorf(loop.Unauthenticated, "Send an access token as Authorization: Bearer TOKEN.")
	}
	// RFC 9110 §11.1: the scheme is compared without regard to case.
	scheme, token, _ = strings.Cut(sent[0], " ")
	switch {
	case !strings.EqualFold(scheme, SchemeBearer) && !strings.EqualFold(scheme, SchemeDPoP):
		return "", "", loop.Errorf(loop.Unauthenticated, "This address takes an access token: Authorization: Bearer TOKEN. Another scheme was sent.")
	case !validToken(token):
		return "", "", loop.Errorf(loop.InvalidRequest, "The Authorization header is not well-formed: the word Bearer or DPoP, one space and the access token as it was issued.")
	}
	return scheme, token, nil
}

// The schemes by which an access token is presented.
const (
	SchemeBearer = "Bearer"
	SchemeDPoP   = "DPoP"
)

// validToken reports whether the text has the form of RFC 6750 §2.1: b64token.
func validToken(token string) bool {
	body := strings.TrimRight(token, "=")
	for i := range len(body) {
		if !tokenByte(body[i]) {
			return false
		}
	}
	return body != "" && len(token) <= maxTokenLength
}

func tokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/'
}

// Challenger tells, with a refusal, how a resource wants to be asked.
type Challenger struct {
	// Metadata is the address of the resource's description (RFC 9728 §5.1);
	// empty: none.
	Metadata string
	// ProofAlgorithms are those of DPoP proofs (RFC 9449 §7.1), by spaces.
	ProofAlgorithms string
}

// refusedByResource is an error with the status that a resource gives it: a proof
// that is refused is a 401 there, and a 400 at the token endpoint.
type refusedByResource struct{ refusal *loop.Error }

// Error gives the text of the error within.
func (e refusedByResource) Error() string { return e.refusal.Error() }

// Unwrap gives the error within.
func (e refusedByResource) Unwrap() error { return e.refusal }

// Challenge sets WWW-Authenticate for an error that has to do with the access
// token, and gives the error back with its status at a resource (RFC 6750 §3).
// Without a token the challenge carries no error (§3.1).
func (c Challenger) Challenge(w http.ResponseWriter, r *http.Request, err error) error {
	e := loop.AsError(err)
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	byDPoP := strings.EqualFold(scheme, SchemeDPoP)
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
	if c.Metadata != "" {
		params = append(params, `resource_metadata="`+c.Metadata+`"`)
	}
	if byDPoP {
		w.Header().Set("WWW-Authenticate", "DPoP "+strings.Join(append(params, `algs="`+c.ProofAlgorithms+`"`), ", "))
	} else {
		w.Header().Set("WWW-Authenticate", "Bearer "+strings.Join(params, ", "))
		if c.ProofAlgorithms != "" && (e.Code == loop.Unauthenticated || e.Code == loop.InvalidToken) {
			w.Header().Add("WWW-Authenticate", `DPoP realm="Loop", algs="`+c.ProofAlgorithms+`"`) // RFC 9449 §7.1: the other way
		}
	}
	return refusedByResource{e}
}
