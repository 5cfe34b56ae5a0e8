package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

// maxTokenLength bounds an access token; ours are far shorter.
const maxTokenLength = 2048

// accessToken reads the access token from the request's Authorization header with
// the scheme that it came by, Bearer (RFC 6750 §2.1) or DPoP (RFC 9449 §7.1): not
// from the address, which ends up in histories and logs. Without a token the
// error is Unauthenticated; for a header that is not well formed, two of them or
// a token in the address InvalidRequest.
func accessToken(r *http.Request) (scheme, token string, err error) {
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
	case !strings.EqualFold(scheme, schemeBearer) && !strings.EqualFold(scheme, schemeDPoP):
		return "", "", loop.Errorf(loop.Unauthenticated, "This address takes an access token: Authorization: Bearer TOKEN. Another scheme was sent.")
	case !validToken(token):
		return "", "", loop.Errorf(loop.InvalidRequest, "The Authorization header is not well-formed: the word Bearer or DPoP, one space and the access token as it was issued.")
	}
	return scheme, token, nil
}

// The schemes by which an access token is presented.
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

// postedAccessToken reads the access token from a form, where there is one, else
// from the header; never from both (RFC 6750 §2, §2.2).
func postedAccessToken(w http.ResponseWriter, r *http.Request) (scheme, token string, err error) {
	if r.Method != http.MethodPost || !IsForm(r) {
		return accessToken(r)
	}
	form, err := Form(w, r, "access_token")
	if err != nil {
		return "", "", err
	}
	sent := parameter.WithoutEmpty(form)["access_token"]
	switch {
	case len(sent) == 0:
		return accessToken(r)
	case len(sent) > 1 || r.Header.Get("Authorization") != "":
		return "", "", loop.Errorf(loop.InvalidRequest, "The access token was sent more than once. Send it in the header or in the form.")
	case r.URL.Query().Has("access_token"):
		return accessToken(r) // refuses it, and says why
	}
	return schemeBearer, sent[0], nil
}

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
