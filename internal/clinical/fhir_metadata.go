package clinical

import (
	"net/http"

	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/web"
)

// newCapabilityStatement writes what the server does, once.
func (f *fhirHost) newCapabilityStatement() []byte {
	statement, err := fhir.Encode(fhir.Capability(f.base, fhir.Endpoints{
		Authorize: f.SMART.AuthorizationEndpoint, Token: f.SMART.TokenEndpoint, Manage: f.SMART.ManagementEndpoint,
	}))
	if err != nil {
		panic("clinical: the capability statement can't be written: " + err.Error())
	}
	return statement
}

// metadata answers GET /fhir/metadata: anyone may read it, from any page.
func (f *fhirHost) metadata(w http.ResponseWriter, _ *http.Request) error {
	f.write(w, f.capability)
	return nil
}

// smartConfiguration answers GET /fhir/.well-known/smart-configuration (SMART App
// Launch 2.2 §8): anyone may read it, from any page, and it is JSON whatever is
// accepted.
func (f *fhirHost) smartConfiguration(w http.ResponseWriter, _ *http.Request) error {
	return web.WriteJSON(w, http.StatusOK, f.SMART)
}
