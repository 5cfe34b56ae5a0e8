package clinical

import (
	_ "embed" // the description
	"strings"
)

// openAPI describes every address of the host (OpenAPI 3.1.0). A test holds it to the
// routes, and to what they answer.
//
//go:embed openapi.json
var openAPI string

const openAPIPath = "/v1/openapi.json"

// newOpenAPIDocument is the description with the addresses of this platform's hosts.
func (h *Host) newOpenAPIDocument() document {
	identity := strings.Join(h.Metadata.AuthorizationServers, "") // the one that there is
	return newDocument([]byte(strings.NewReplacer("{clinical}", h.site.PublicURL.String(), "{identity}", identity).Replace(openAPI)))
}
