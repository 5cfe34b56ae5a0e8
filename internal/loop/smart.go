package loop

import (
	"net/url"
	"slices"
	"strings"
)

// The words of SMART App Launch 2.2 (§3.0) that are no permission on a resource.
const (
	SmartLaunchPatient = "launch/patient" // the answer names the patient
	SmartUser          = "fhirUser"       // the ID token names the member's resource
)

// SmartScope is a scope by its name in SMART App Launch, such as
// patient/Observation.rs. A member allows what it opens; the app is answered in the
// words that it used.
type SmartScope struct {
	Name  string
	Opens Scope // empty: nothing by itself, as launch/patient
}

// smartResources are the resources that patient/*.rs stands for, with what opens them.
var smartResources = []struct {
	kind     string
	opens    Scope
	category []string // what its results' category can be named, by itself or with its system
}{
	{"Patient", ScopeReadDemographics, nil},
	{"Observation", ScopeReadBiomarkers, []string{"laboratory", "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"}},
	{"DiagnosticReport", ScopeReadBiomarkers, []string{"LAB", "http://terminology.hl7.org/CodeSystem/v2-0074|LAB"}},
}

// SmartScopeNames lists the names of SMART App Launch that can be granted: contexts,
// and each resource in the words of versions 1 and 2.
func SmartScopeNames() []string {
	names := []string{SmartLaunchPatient, SmartUser}
	for _, resource := range smartResources {
		names = append(names, "patient/"+resource.kind+".read", "patient/"+resource.kind+".rs")
	}
	return names
}

// readSmart reads a name of SMART App Launch; false where it is none. What it asks for
// and the platform doesn't have, such as patient/Condition.read, user/ and system/, is
// passed over, since apps ask for all that they know: then nothing is granted of it.
// A wildcard stands for each resource that there is.
func readSmart(name string) (found []SmartScope, smart bool) {
	switch {
	case name == SmartLaunchPatient:
		return []SmartScope{{Name: name}}, true
	case name == SmartUser:
		return []SmartScope{{name, ScopeOpenID}}, true
	case name == "launch", strings.HasPrefix(name, "launch/"), name == "online_access":
		return nil, true
	}
	context, rest, _ := strings.Cut(name, "/")
	if !slices.Contains([]string{"patient", "user", "system"}, context) {
		return nil, false
	}
	kind, rest, ok := strings.Cut(rest, ".")
	permission, query, granular := strings.Cut(rest, "?")
	if !ok || !isResourceType(kind) || !isPermission(permission) {
		return nil, false
	}
	readable := readOf(permission)
	if context != "patient" || readable == "" || granular && readable == "read" {
		return nil, true
	}
	for _, resource := range smartResources {
		if kind != resource.kind && (kind != "*" || granular) || granular && !isCategory(query, resource.category) {
			continue
		}
		one := SmartScope{"patient/" + resource.kind + "." + readable, resource.opens}
		if granular {
			one.Name += "?" + query
		}
		found = append(found, one)
	}
	return found, true
}

// isResourceType reports whether a name has the form of one.
func isResourceType(kind string) bool {
	return kind == "*" || kind != "" && len(kind) <= 64 && strings.Trim(kind, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

// isPermission reports whether a permission is one of version 1, or letters of
// "cruds" in their order.
func isPermission(permission string) bool {
	if slices.Contains([]string{"read", "write", "*"}, permission) {
		return true
	}
	rest := "cruds"
	for _, letter := range permission {
		i := strings.IndexRune(rest, letter)
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
	return permission != ""
}

// readOf is the part of a permission that can be granted, in the same version's
// words; empty where there is none. Reading alone or searching alone is less than any
// of our scopes opens, so neither is granted.
func readOf(permission string) string {
	switch {
	case permission == "read" || permission == "*":
		return "read"
	case permission != "write" && strings.Contains(permission, "r") && strings.Contains(permission, "s"):
		return "rs"
	default:
		return ""
	}
}

// isCategory reports whether a query asks for exactly one of these categories.
func isCategory(query string, categories []string) bool {
	values, err := url.ParseQuery(query)
	return err == nil && len(values) == 1 && len(values["category"]) == 1 && slices.Contains(categories, values.Get("category"))
}

// PatientID is the id of a member's Patient resource: FHIR allows no underscore.
func PatientID(id MemberID) string { return strings.Replace(string(id), "_", "-", 1) }
