package docsite

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/web"
)

// CataloguePath is where programs learn which APIs there are (RFC 9727 §2).
const CataloguePath = "/.well-known/api-catalog"

// catalogueType is the form of a catalogue: a linkset that names the profile (RFC 9727 §4).
const catalogueType = `application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"`

// linkContext is what is said of one address (RFC 9264 §4.2): links, by their relation.
type linkContext struct {
	Anchor      string   `json:"anchor"`
	Item        []target `json:"item,omitempty"`
	ServiceDesc []target `json:"service-desc,omitempty"`
	ServiceDoc  []target `json:"service-doc,omitempty"`
	ServiceMeta []target `json:"service-meta,omitempty"`
}

type target struct {
	Href string `json:"href"`
	Type string `json:"type,omitempty"`
}

// catalogue names the APIs of the platform, and of each what describes it to programs
// and to people (RFC 8631).
func catalogue(hosts addresses) ([]byte, error) {
	at := func(host *url.URL, path string) string { return host.JoinPath(path).String() }
	page := func(path string) []target {
		address := at(hosts.developers, web.DocumentationPath+path)
		return []target{{address, "text/html"}, {address + ".md", markdownType}}
	}
	results, fhir, authorization := at(hosts.clinical, "/v1/biomarkers"), at(hosts.clinical, "/fhir"), at(hosts.identity, "/v1/oauth")
	return json.MarshalIndent(map[string][]linkContext{"linkset": {
		{Anchor: at(hosts.developers, CataloguePath), Item: []target{{Href: authorization}, {Href: results}, {Href: fhir}}},
		{
			Anchor: authorization, ServiceDoc: page("/authorization-flow"),
			ServiceMeta: []target{{at(hosts.identity, "/.well-known/oauth-authorization-server"), "application/json"}, {at(hosts.identity, "/.well-known/openid-configuration"), "application/json"}},
		},
		{
			Anchor: results, ServiceDoc: page("/lab-results"),
			ServiceMeta: []target{{at(hosts.clinical, "/v1/biomarkers/catalog"), "application/json"}, {at(hosts.clinical, "/.well-known/oauth-protected-resource"), "application/json"}},
		},
		{
			Anchor: fhir, ServiceDoc: page("/fhir"),
			ServiceDesc: []target{{at(hosts.clinical, "/fhir/metadata"), "application/fhir+json"}},
			ServiceMeta: []target{{at(hosts.clinical, "/fhir/.well-known/smart-configuration"), "application/json"}},
		},
	}}, "", "  ")
}

// showCatalogue answers GET and HEAD /.well-known/api-catalog.
func (h *Host) showCatalogue(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", catalogueType)
	w.Header().Set("Link", "<"+h.developers.JoinPath(CataloguePath).String()+`>; rel="api-catalog"`)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(h.catalogue) // an error means that the reader has gone
	return nil
}
