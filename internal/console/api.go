package console

import (
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// The addresses of the admin API.
const (
	apiPath      = "/v1/admin"
	apiUsersPath = apiPath + "/users"
	apiAuditPath = apiPath + "/audit-log"
)

// mountAPI adds what services of Loop's see and do, with tokens for themselves that an
// operator registered them for (loop.AdminScopes).
func (h *Host) mountAPI(site *web.Site) {
	site.ErrorsBelow(apiPath, web.WithMessage)
	resource := h.Resource(site)
	for pattern, route := range map[string]struct {
		scope  string
		class  limit.Class
		answer web.ResourceHandler
	}{
		"GET " + apiUsersPath:                    {loop.AdminUsers, limit.Read, h.findUsers},
		"GET " + apiUsersPath + "/{id}":          {loop.AdminUsers, limit.Read, h.showUser},
		"POST " + apiUsersPath + "/{id}/suspend": {loop.AdminSuspendUsers, limit.Write, h.suspendUser},
		"POST " + apiUsersPath + "/{id}/resume":  {loop.AdminSuspendUsers, limit.Write, h.resumeUser},
		"GET " + apiAuditPath:                    {loop.AdminAuditLog, limit.Read, h.searchAudit},
	} {
		site.API(pattern, resource.Require(web.Access{Service: route.scope, Class: route.class}, route.answer))
	}
}

// service is who acts with a token.
func service(token oauth.AccessToken) audit.Actor {
	return audit.Actor{Kind: audit.ByClient, ID: string(token.Client)}
}

// rows is a page of what was found.
type rows[T any] struct {
	Rows  []T   `json:"rows"`
	Total int64 `json:"total"`
}

// parameters reads a query that holds some of these parameters, each once, and no others:
// a filter that is misspelt would let everything through.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, loop.Errorf(loop.ValidationError, "The query is not well formed. Write its values percent-encoded.")
	}
	allowed := make(map[string]bool, len(known))
	for _, name := range known {
		allowed[name] = true
		if len(query[name]) > 1 {
			return nil, loop.Errorf(loop.ValidationError, "The parameter %s came more than once. Send it once.", name).About(name)
		}
	}
	for name := range query {
		if !allowed[name] {
			return nil, loop.Errorf(loop.ValidationError, "The query has a parameter that there is not. The parameters are listed in the documentation of the admin API.")
		}
	}
	return query, nil
}
