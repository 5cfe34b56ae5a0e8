package loop

import (
	"errors"
	"fmt"
	"time"
)

// Code is one of the platform's error codes. The list is closed: an answer
// carries one of these or none, and each has a page in the documentation.
type Code string

// The codes of OAuth (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, OpenID
// Connect Core §3.1.2.6) and the platform's own.
const (
	InvalidRequest          Code = "invalid_request"
	InvalidClient           Code = "invalid_client"
	InvalidGrant            Code = "invalid_grant"
	InvalidScope            Code = "invalid_scope"
	UnauthorizedClient      Code = "unauthorized_client"
	UnsupportedGrantType    Code = "unsupported_grant_type"
	UnsupportedResponseType Code = "unsupported_response_type"
	RequestNotSupported     Code = "request_not_supported"
	RequestURINotSupported  Code = "request_uri_not_supported"
	InvalidTarget           Code = "invalid_target"          // RFC 8707 §2
	InvalidRequestObject    Code = "invalid_request_object"  // RFC 9101 §7
	InvalidRequestURI       Code = "invalid_request_uri"     // RFC 9101 §7
	InvalidRedirectURI      Code = "invalid_redirect_uri"    // RFC 7591 §3.2.2
	InvalidClientMetadata   Code = "invalid_client_metadata" // RFC 7591 §3.2.2
	InvalidDPoPProof        Code = "invalid_dpop_proof"      // RFC 9449 §5
	UseDPoPNonce            Code = "use_dpop_nonce"          // RFC 9449 §8

	AccessDenied             Code = "access_denied"
	LoginRequired            Code = "login_required"
	ConsentRequired          Code = "consent_required"
	InteractionRequired      Code = "interaction_required"
	AccountSelectionRequired Code = "account_selection_required"
	// UnmetAuthenticationRequirements: RFC 9470 §5.
	UnmetAuthenticationRequirements Code = "unmet_authentication_requirements"

	Unauthenticated   Code = "unauthenticated"
	InvalidToken      Code = "invalid_token"
	InsufficientScope Code = "insufficient_scope"
	Forbidden         Code = "forbidden"
	// InsufficientUserAuthentication: RFC 9470 §3.
	InsufficientUserAuthentication Code = "insufficient_user_authentication"

	NotFound             Code = "not_found"
	MethodNotAllowed     Code = "method_not_allowed"
	NotAcceptable        Code = "not_acceptable"
	Conflict             Code = "conflict"
	PayloadTooLarge      Code = "payload_too_large"
	URITooLong           Code = "uri_too_long"
	HeadersTooLarge      Code = "headers_too_large"
	UnsupportedMediaType Code = "unsupported_media_type"
	ValidationError      Code = "validation_error"
	RateLimited          Code = "rate_limited"

	ServerError            Code = "server_error"
	TemporarilyUnavailable Code = "temporarily_unavailable"
)

// Codes lists every code that any role can answer with.
func Codes() []Code {
	return []Code{
		InvalidRequest, InvalidClient, InvalidGrant, InvalidScope, UnauthorizedClient,
		UnsupportedGrantType, UnsupportedResponseType, RequestNotSupported, RequestURINotSupported,
		InvalidTarget, InvalidRequestObject, InvalidRequestURI, InvalidRedirectURI, InvalidClientMetadata, InvalidDPoPProof, UseDPoPNonce,
		AccessDenied, LoginRequired, ConsentRequired, InteractionRequired, AccountSelectionRequired,
		UnmetAuthenticationRequirements,
		Unauthenticated, InvalidToken, InsufficientScope, InsufficientUserAuthentication, Forbidden,
		NotFound, MethodNotAllowed, NotAcceptable, Conflict, PayloadTooLarge, URITooLong, HeadersTooLarge,
		UnsupportedMediaType, ValidationError, RateLimited,
		ServerError, TemporarilyUnavailable,
	}
}

// Error is a refusal or a failure that may be shown to the outside: a code from
// the closed list and a description that a developer can act on and anyone may
// read. What lies beneath is for the log alone.
type Error struct {
	Code        Code
	Description string        // what was wrong and what to do; only %x20-21, %x23-5B, %x5D-7E (RFC 6749 §5.2)
	Field       string        // the parameter or field at fault, where there is one
	Scope       Scopes        // for InsufficientScope: what the call needs
	MaxAge      time.Duration // for InsufficientUserAuthentication: how old the sign-in may be
	RetryAfter  time.Duration
	Notice      Notice // what a member reads of it, in their language; empty: what they read of every error with the code

	cause error
}

// Errorf makes an Error whose description is formatted; an operand of %w
// becomes the cause as well as part of the text, so give it only to errors
// that are safe to show.
func Errorf(code Code, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Code: code, Description: wrapped.Error(), cause: errors.Unwrap(wrapped)}
}

// Because returns a copy of the error with a cause that only the log sees.
func (e *Error) Because(cause error) *Error {
	changed := *e
	changed.cause = cause
	return &changed
}

// About returns a copy of the error that names the parameter or field at fault.
func (e *Error) About(field string) *Error {
	changed := *e
	changed.Field = field
	return &changed
}

// Worded returns a copy of the error with the text that a member reads of it.
func (e *Error) Worded(text string, args ...string) *Error {
	changed := *e
	changed.Notice = NewNotice(text, args...)
	return &changed
}

// Error gives code, description and cause: the form for logs.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Description
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// AsError finds the Error within err. An error that holds none is shown to the
// outside as ServerError, with err as its cause.
func AsError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	return Errorf(ServerError, "Something went wrong on our side. Try again; if it stays, send us the request id.").Because(err)
}

// ErrNotFound is what a store returns for a record that is not there.
var ErrNotFound = errors.New("not found")

// ErrOutcomeUnknown is within what a store returns where a commit failed and
// nobody knows whether what it carried was written. Read the record again: what
// shows there is durable; what does not may still have happened, so the request
// must not be repeated as if it had not.
var ErrOutcomeUnknown = errors.New("it is not known whether this was written")
