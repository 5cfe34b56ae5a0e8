package clientauth

import (
	"net/url"

	"github.com/loop-health/loop/internal/oauth/possession"
)

// Request is what an app sends to an endpoint that is meant for apps.
type Request struct {
	possession.Evidence

	Authorization []string // the values of the header
	Form          url.Values
}
