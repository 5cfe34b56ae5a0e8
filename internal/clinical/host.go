package clinical

import (
	"context"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mcp"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// Members is what clinical asks identity.
type Members interface {
	// Person gives the member's recorded sex and birth date, as far as they are known.
	Person(ctx context.Context, id loop.MemberID) (biomarker.Person, error)
	// Name gives the member's name.
	Name(ctx context.Context, id loop.MemberID) (string, error)
}

// Records is where reads and refusals leave their record.
type Records interface {
	web.Refusals
	// RecordRead writes the record of a read and returns once it is durable.
	RecordRead(ctx context.Context, rec audit.Record) error
}

// Config is what a Host needs.
type Config struct {
	Biomarkers *biomarker.Reader
	Importer   *biomarker.Importer
	Imports    *intake.Keeper
	Tokens     web.Tokens
	Members    Members
	Clients    web.Clients
	Records    Records
	Reads      connection.ReadLister // what apps read, for assistants
	Texts      *locale.Texts         // what charts say
	World      loop.World
	Metadata   oauth.ResourceMetadata
	SMART      oauth.SMARTConfiguration
	// SignInMaxAge is how old the member's sign-in may be when an app reads
	// (RFC 9470); 0: any age.
	SignInMaxAge time.Duration
}

// Host answers the requests of apps for health data.
type Host struct {
	Config
	site    *web.Site
	catalog document
	mcp     *mcp.Server[caller]
}

// New makes a host.
func New(config Config) *Host {
	config.Members = &rememberedPersons{Members: config.Members, world: config.World}
	h := &Host{Config: config, catalog: newCatalogDocument(config.Biomarkers.Catalogue)}
	h.mcp = h.newMCP()
	return h
}

// metadataPath is where the host describes itself (RFC 9728 §3).
const metadataPath = "/.well-known/oauth-protected-resource"

// The paths of the API.
const (
	biomarkersPath = "/v1/biomarkers/me" // of the member whom the token stands for
	catalogPath    = "/v1/biomarkers/catalog"
	importsPath    = "/v1/imports"
)

// Mount adds the host's routes to its site.
func (h *Host) Mount(site *web.Site) {
	h.site = site
	resource := &web.Resource{
		Site: site, Tokens: h.Tokens, Clients: h.Clients, Refusals: h.Records,
		Metadata: site.PublicURL.String() + metadataPath, SignInMaxAge: h.SignInMaxAge,
	}
	site.PublicAPI("GET "+metadataPath, h.describe)
	site.PublicAPI("GET "+catalogPath, h.catalog.serve)
	site.PublicAPI("GET "+openAPIPath, h.newOpenAPIDocument().serve)
	h.mountMCP(site, *resource)
	read := web.Access{Scope: loop.ScopeReadBiomarkers, Class: limit.Read}
	write := web.Access{Scope: loop.ScopeWriteBiomarkers, Class: limit.Write}
	for _, route := range []struct {
		pattern string
		needs   web.Access
		handler web.ResourceHandler
	}{
		{"GET " + biomarkersPath, read, h.listBiomarkers},
		{"GET " + biomarkersPath + "/{id}", read, h.showBiomarker},
		{"GET " + biomarkersPath + "/summary", read, h.summarizeBiomarkers},
		{"GET " + chartPath, read, h.chartBiomarker},
		{"POST " + biomarkersPath, write, h.submitBiomarkers},
		{"DELETE " + biomarkersPath + "/{id}", write, h.retractBiomarker},
		{"POST " + importsPath, write, h.importFile},
	} {
		site.BrowserAPI(route.pattern, ofResult(resource.Require(route.needs, route.handler)))
	}
	newFHIRHost(h).mount(resource)
}

// ofResult answers that nothing is there where the last part of an address can be no
// result's id, whoever asks: me/x.css is no page.
func ofResult(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if id := loop.ResultID(r.PathValue("id")); id != "" && !id.Valid() {
			return web.NotFound()
		}
		return next(w, r)
	}
}

// describe answers GET /.well-known/oauth-protected-resource (RFC 9728 §3.2):
// anyone may read it, from any page.
func (h *Host) describe(w http.ResponseWriter, _ *http.Request) error {
	return web.WriteJSON(w, http.StatusOK, h.Metadata)
}
