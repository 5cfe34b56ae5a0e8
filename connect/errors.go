package connect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrReconnect says that Loop accepts nothing any more that the app holds for a
// member: they took their consent back, it expired, or a refresh token was lost on its
// way. Ask them to connect again; nothing else helps.
var ErrReconnect = errors.New("the member has to connect Loop again")

// ErrNoTokens says that nothing is kept for a member: they never connected, or were
// forgotten.
var ErrNoTokens = errors.New("no tokens are kept for this member")

// ErrNoSession says that nobody is signed in to the app in this browser.
var ErrNoSession = errors.New("nobody is signed in in this browser")

// Error is what Loop answered in place of what was asked for. Codes are those of
// OAuth (RFC 6749 §5.2) and of the API; each has a page.
type Error struct {
	Status      int    // of HTTP; 0 where it came by redirect
	Code        string // such as invalid_grant, rate_limited
	Description string // for a developer
	Page        string // the address of the code's page in the documentation
	RequestID   string // by which Loop finds the request in its log
	// RetryAfter is how long to wait before the same is sent again. Where it is not
	// 0, nothing was done.
	RetryAfter time.Duration
}

// Error is the code with its description, and where more is said.
func (e *Error) Error() string {
	text := "Loop answers " + e.Code
	if e.Description != "" {
		text += ": " + e.Description
	}
	if e.Page != "" {
		text += " (" + e.Page + ")"
	}
	if e.RequestID != "" {
		text += " [" + e.RequestID + "]"
	}
	return text
}

// maxErrorBody bounds how much of an answer is read for its error.
const maxErrorBody = 64 << 10

// errorOf reads the error of an answer and closes it.
func errorOf(response *http.Response) error {
	defer response.Body.Close() //nolint:errcheck // it is read to its end, or not needed
	var body struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
		Page        string `json:"error_uri"`
		RequestID   string `json:"request_id"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxErrorBody)).Decode(&body); err != nil || body.Code == "" {
		body.Code = strings.ReplaceAll(strings.ToLower(http.StatusText(response.StatusCode)), " ", "_")
	}
	if body.RequestID == "" {
		body.RequestID = response.Header.Get("X-Request-Id")
	}
	return &Error{
		Status: response.StatusCode, Code: body.Code, Description: body.Description, Page: body.Page, RequestID: body.RequestID,
		RetryAfter: retryAfter(response.Header),
	}
}

// retryAfter reads Retry-After in seconds, the one form that Loop sends; 0 where there
// is none.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.ParseUint(header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// isCode reports whether an error is Loop's, with one of the codes.
func isCode(err error, codes ...string) bool {
	known, ok := errors.AsType[*Error](err)
	for _, code := range codes {
		if ok && known.Code == code {
			return true
		}
	}
	return false
}

// reconnect says why a member has to connect again.
func reconnect(cause error) error { return fmt.Errorf("%w: %w", ErrReconnect, cause) }
