package fhir

// CapabilityStatement says what a server can do
// (https://hl7.org/fhir/R4/capabilitystatement.html).
type CapabilityStatement struct {
	ResourceType   string         `json:"resourceType"`
	Status         string         `json:"status"`
	Date           string         `json:"date"`
	Kind           string         `json:"kind"`
	Software       Software       `json:"software"`
	Implementation Implementation `json:"implementation"`
	FHIRVersion    string         `json:"fhirVersion"`
	Format         []string       `json:"format"`
	Rest           []Rest         `json:"rest"`
}

// Software is what a server runs.
type Software struct {
	Name string `json:"name"`
}

// Implementation is the server itself.
type Implementation struct {
	Description string `json:"description"`
	URL         string `json:"url"`
}

// Rest is what a server answers over HTTP.
type Rest struct {
	Mode          string               `json:"mode"`
	Documentation string               `json:"documentation,omitempty"`
	Security      Security             `json:"security"`
	Resource      []ResourceCapability `json:"resource"`
}

// Security says how requests are protected.
type Security struct {
	Extension []OAuthURIs       `json:"extension,omitempty"`
	CORS      bool              `json:"cors"`
	Service   []CodeableConcept `json:"service"`
}

// OAuthURIs are the endpoints of SMART App Launch, for apps that look for them here.
type OAuthURIs struct {
	URL       string    `json:"url"`
	Extension []URIOnly `json:"extension"`
}

// URIOnly is an extension that is an address.
type URIOnly struct {
	URL      string `json:"url"`
	ValueURI string `json:"valueUri"`
}

// ResourceCapability is what a server does with one type of resource.
type ResourceCapability struct {
	Type             string        `json:"type"`
	SupportedProfile []string      `json:"supportedProfile,omitempty"`
	Interaction      []Interaction `json:"interaction"`
	Versioning       string        `json:"versioning"`
	SearchParam      []SearchParam `json:"searchParam,omitempty"`
	Operation        []Operation   `json:"operation,omitempty"`
}

// Interaction is one of HTTP's on resources.
type Interaction struct {
	Code string `json:"code"`
}

// SearchParam is a parameter that a search has.
type SearchParam struct {
	Name          string `json:"name"`
	Definition    string `json:"definition,omitempty"`
	Type          string `json:"type"`
	Documentation string `json:"documentation,omitempty"`
}

// Operation is a request beyond reading and searching.
type Operation struct {
	Name       string `json:"name"`
	Definition string `json:"definition"`
}

// TypeCapabilityStatement is the name of the resource type.
const TypeCapabilityStatement = "CapabilityStatement"

// capabilityDate is when what the statement says was last changed.
const capabilityDate = "2026-11-30"

// Endpoints are where apps go for tokens, and members to see what apps may do.
type Endpoints struct{ Authorize, Token, Manage string }

// Capability says what a server at a base address does.
func Capability(base string, endpoints Endpoints) *CapabilityStatement {
	return &CapabilityStatement{
		ResourceType: TypeCapabilityStatement, Status: "active", Date: capabilityDate, Kind: "instance",
		Software:       Software{"Connect with Loop"},
		Implementation: Implementation{"Lab results of the member who allowed an app to read them", base},
		FHIRVersion:    "4.0.1", Format: []string{"json", "application/fhir+json"},
		Rest: []Rest{{
			Mode:          "server",
			Documentation: "A token is for one member. What is another's is not found.",
			Security:      security(endpoints),
			Resource: []ResourceCapability{
				patientCapability(), observationCapability(), reportCapability(),
			},
		}},
	}
}

func security(e Endpoints) Security {
	return Security{
		CORS: true,
		Extension: []OAuthURIs{{URL: "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", Extension: []URIOnly{
			{"authorize", e.Authorize}, {"token", e.Token}, {"manage", e.Manage},
		}}},
		Service: []CodeableConcept{{Coding: []Coding{{System: "http://terminology.hl7.org/CodeSystem/restful-security-service", Code: "SMART-on-FHIR"}}}},
	}
}

func patientCapability() ResourceCapability {
	return ResourceCapability{
		Type: TypePatient, SupportedProfile: []string{ProfilePatient}, Interaction: readAndSearch(), Versioning: "no-version",
		SearchParam: []SearchParam{
			{Name: paramID, Definition: definition("Resource-id"), Type: "token"},
			{Name: "identifier", Definition: definition("Patient-identifier"), Type: "token"},
		},
		Operation: []Operation{{"everything", "http://hl7.org/fhir/OperationDefinition/Patient-everything"}},
	}
}

func observationCapability() ResourceCapability {
	return ResourceCapability{
		Type: TypeObservation, SupportedProfile: []string{ProfileLaboratory}, Interaction: readAndSearch(), Versioning: "no-version",
		SearchParam: []SearchParam{
			{Name: paramID, Definition: definition("Resource-id"), Type: "token"},
			{Name: paramLastUpdated, Definition: definition("Resource-lastUpdated"), Type: "date"},
			{Name: paramPatient, Definition: definition("clinical-patient"), Type: "reference"},
			{Name: paramSubject, Definition: definition("Observation-subject"), Type: "reference"},
			{Name: paramCategory, Definition: definition("Observation-category"), Type: "token"},
			{Name: paramCode, Definition: definition("clinical-code"), Type: "token"},
			{Name: paramDate, Definition: definition("clinical-date"), Type: "date", Documentation: "eq, ne, gt, lt, ge, le, sa and eb; two are both to hold"},
			{Name: paramStatus, Definition: definition("Observation-status"), Type: "token"},
		},
	}
}

func reportCapability() ResourceCapability {
	return ResourceCapability{
		Type: TypeDiagnosticReport, SupportedProfile: []string{ProfileReport}, Interaction: readAndSearch(), Versioning: "no-version",
		SearchParam: []SearchParam{
			{Name: paramID, Definition: definition("Resource-id"), Type: "token"},
			{Name: paramPatient, Definition: definition("clinical-patient"), Type: "reference"},
			{Name: paramSubject, Definition: definition("DiagnosticReport-subject"), Type: "reference"},
			{Name: paramCategory, Definition: definition("DiagnosticReport-category"), Type: "token"},
			{Name: paramCode, Definition: definition("clinical-code"), Type: "token"},
			{Name: paramDate, Definition: definition("clinical-date"), Type: "date"},
			{Name: paramStatus, Definition: definition("DiagnosticReport-status"), Type: "token"},
		},
	}
}

func readAndSearch() []Interaction { return []Interaction{{"read"}, {"search-type"}} }

// definition is the address of a search parameter of FHIR's own.
func definition(name string) string { return "http://hl7.org/fhir/SearchParameter/" + name }
