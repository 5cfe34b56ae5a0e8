package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// maxBearerLength bounds an access token; ours are far shorter.
const maxBearerLength = 2048

// BearerToken reads the access token from the request's Authorization header,
// the one place where it is accepted (RFC 6750 §2.1): not in the address, which
// ends up in histories and logs, and not in a form. Without a token the error is
// Unauthenticated; for a header that is not well formed, two of them or a token
// in the address InvalidRequest. Pass either to Challenge.
func BearerToken(r *http.Request) (string, error) {
	if query, _ := url.ParseQuery(r.URL.RawQuery); query.Has("access_token") {
		return "", loop.Errorf(loop.InvalidRequest, "An access token in the address can be read in histories and logs. Send it as Authorization: Bearer TOKEN, and get a new one: this one should be revoked.")
	}
	sent := r.Header.Values("Authorization")
	if len(sent) > 1 {
		return "", loop.Errorf(loop.InvalidRequest, "There are %d Authorization headers. Send one.", len(sent))
	}
	if len(sent) == 0 || sent[0] == "" {
		return "", loop.Errorf(loop.Unauthenticated, "Send an access token as Authorization: Bearer TOKEN.")
	}
	// RFC 9110 §11.1: the scheme is compared without regard to case.
	scheme, token, _ := strings.Cut(sent[0], " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", loop.Errorf(loop.Unauthenticated, "This address takes an access token: Authorization: Bearer TOKEN. Another scheme was sent.")
	case !validBearer(token):
		return "", loop.Errorf(loop.InvalidRequest, "The Authorization header is not well-formed: the word Bearer, one space and the access token as it was issued.")
	}
	return token, nil
}

// validBearer reports whether the text has the form of RFC 6750 §2.1: b64token.
func validBearer(token string) bool {
	body := strings.TrimRight(token, "=")
	return body != "" && len(token) <= maxBearerLength && strings.IndexFunc(body, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._~+/", c)
	}) < 0
}

// Challenge sets WWW-Authenticate for an error that has to do with the access
// token, and gives the error back (RFC 6750 §3). Without a token the challenge
// carries no error (§3.1). What scope a call needs is in the error's Scope.
func Challenge(w http.ResponseWriter, err error) error {
	e := loop.AsError(err)
	challenge := `Bearer realm="Loop"`
	switch e.Code {
	case loop.Unauthenticated:
	case loop.InvalidToken, loop.InvalidRequest:
		challenge += `, error="` + string(e.Code) + `"`
	case loop.InsufficientScope:
		challenge += `, error="` + string(e.Code) + `", scope="` + e.Scope.String() + `"`
	default:
		return err
	}
	w.Header().Set("WWW-Authenticate", challenge)
	return err
}
