package clinical

import (
	"context"
	"net/http"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// MCPPath is where assistants call tools, by the Model Context Protocol. It is a
// resource of its own: a token that is meant for the API alone doesn't open it.
const MCPPath = "/mcp"

// caller is who calls a tool.
type caller struct {
	request  *http.Request
	token    oauth.AccessToken
	resource *web.Resource
}

// Has reports whether the token has the scope (mcp.Caller).
func (c caller) Has(scope loop.Scope) bool { return c.token.Scopes.Has(scope) }

// Lacking is the refusal of a token without the scope (mcp.Caller).
func (c caller) Lacking(ctx context.Context, scope loop.Scope) error {
	return c.resource.Lacking(ctx, c.token, scope)
}

// mountMCP adds the endpoint, and its description as a protected resource (RFC 9728
// §3.1: the well-known path stands before the resource's own).
func (h *Host) mountMCP(site *web.Site, resource web.Resource) {
	described := h.Metadata
	described.Resource += MCPPath
	described.Name = "Connect with Loop: lab results for assistants"
	described.ScopesSupported = []string{string(loop.ScopeReadBiomarkers)}
	site.PublicAPI("GET "+metadataPath+MCPPath, func(w http.ResponseWriter, _ *http.Request) error {
		return web.WriteJSON(w, http.StatusOK, described)
	})
	resource.AddsScopes = true
	resource.Path, resource.Metadata = MCPPath, site.PublicURL.String()+metadataPath+MCPPath
	needs := web.Access{Scope: loop.ScopeReadBiomarkers, Class: limit.Read, ByCall: true}
	serve := resource.Require(needs, func(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
		return h.mcp.Serve(w, r, caller{r, token, &resource})
	})
	site.BrowserAPI("POST "+MCPPath, func(w http.ResponseWriter, r *http.Request) error {
		if err := site.RefuseOrigin(r); err != nil {
			return err
		}
		return serve(w, r)
	})
}
