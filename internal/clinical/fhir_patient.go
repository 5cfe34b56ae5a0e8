package clinical

import (
	"fmt"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// showPatient answers GET /fhir/Patient/{id}: the member themselves, and nobody else.
func (f *fhirHost) showPatient(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	if err := own(r.PathValue("id"), token.Member); err != nil {
		return err
	}
	patient, err := f.readPatient(r, token)
	if err != nil {
		return err
	}
	f.writeResource(w, r, time.Time{}, patient)
	return nil
}

// own lets a request through that is about the token's own member.
func own(id string, member loop.MemberID) error {
	if named, ok := fhir.MemberID(id); !ok || named != member {
		return loop.Errorf(loop.NotFound, "There is no such patient here. A token is for one member: Patient/%s.", fhir.PatientID(member))
	}
	return nil
}

// readPatient makes the member's Patient resource, once the read is recorded.
func (f *fhirHost) readPatient(r *http.Request, token oauth.AccessToken) (fhir.Encoded, error) {
	person, err := f.person(r.Context(), token.Member)
	if err != nil {
		return nil, err
	}
	name, err := f.Members.Name(r.Context(), token.Member)
	if err != nil {
		return nil, web.Unavailable(fmt.Errorf("asking for the member's name: %w", err))
	}
	err = f.Records.RecordRead(r.Context(), audit.Record{
		At:     f.World.Now(),
		Event:  audit.DemographicsRead,
		Actor:  audit.Actor{Kind: audit.ByClient, ID: string(token.Client)},
		Member: token.Member,
		Client: token.Client,
		Grant:  token.Grant,
		Origin: audit.OriginOf(r.Context()),
	})
	if err != nil {
		return nil, web.Unavailable(fmt.Errorf("recording the read: %w", err))
	}
	return fhir.Encode(f.resources.Patient(token.Member, name, person))
}

// searchPatients answers GET /fhir/Patient: the one patient of the token.
func (f *fhirHost) searchPatients(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	values, err := f.parameters(w, r)
	if err != nil {
		return err
	}
	search, err := fhir.ParsePatientSearch(token.Member, f.resources, values)
	if err != nil {
		return err
	}
	set := &fhir.Set{Timestamp: fhir.Instant(f.World.Now()), Links: f.links("/"+fhir.TypePatient, search.Parameters, "", "")}
	if search.Found {
		patient, err := f.readPatient(r, token)
		if err != nil {
			return err
		}
		set.Matches = []fhir.Match{{FullURL: f.fullURL(fhir.TypePatient, fhir.PatientID(token.Member)), Resource: patient, Mode: fhir.ModeMatch}}
	}
	f.write(w, set.AppendJSON(nil))
	return nil
}
