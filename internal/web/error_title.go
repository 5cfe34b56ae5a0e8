package web

import "github.com/loop-health/loop/internal/loop"

// ErrorTitle is the key of the text that is the title of an error's page, on every host.
func ErrorTitle(code loop.Code) string {
	switch code {
	case loop.NotFound, loop.MethodNotAllowed:
		return "error.nothing_here"
	case loop.ServerError, loop.TemporarilyUnavailable:
		return "error.our_side"
	case loop.RateLimited:
		return "error.too_many"
	default:
		return "error.failed"
	}
}
