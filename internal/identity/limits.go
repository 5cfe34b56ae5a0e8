package identity

import (
	"net/http"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// limitAuthorize counts an authorization request. Nobody has proven anything yet,
// neither the client nor the member, so it counts by network. One that comes by
// POST is sent around as a GET, and counts twice.
func (h *Host) limitAuthorize(w http.ResponseWriter, r *http.Request) error {
	return h.site.Limit(w, limit.Authorize, limit.ByAddress(web.Address(r.Context())), 0)
}

// limitFailure counts a client that could not prove who it is. Whose name it used
// says nothing, so it counts by network, and only once it has failed: asked
// before, a stranger's failures would shut out the apps that share their address.
func (h *Host) limitFailure(w http.ResponseWriter, r *http.Request, err error) error {
	if loop.AsError(err).Code != loop.InvalidClient {
		return err
	}
	if limited := h.site.Limit(w, limit.FailedAuthentication, limit.ByAddress(web.Address(r.Context())), 0); limited != nil {
		return limited
	}
	return err
}
