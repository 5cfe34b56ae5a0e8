package loop_test

import (
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestParseScopes_SMARTAppLaunchNamesOpenOurs(t *testing.T) {
	t.Parallel()
	const laboratory = "?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
	for _, test := range []struct{ name, asked, opens, answered string }{
		{"version 1", "patient/Observation.read", "read:biomarkers", "patient/Observation.read"},
		{"version 2", "patient/Observation.rs", "read:biomarkers", "patient/Observation.rs"},
		{"a patient", "patient/Patient.read", "read:demographics", "patient/Patient.read"},
		{"reports", "patient/DiagnosticReport.rs", "read:biomarkers", "patient/DiagnosticReport.rs"},
		{"a launch", "launch/patient openid fhirUser offline_access patient/Patient.rs", "openid read:demographics", "openid launch/patient fhirUser patient/Patient.rs offline_access"},
		{"fhirUser is in an ID token", "fhirUser", "openid", "fhirUser"},
		{"both names", "read:biomarkers patient/Observation.rs", "read:biomarkers", "read:biomarkers patient/Observation.rs"},
		{"a wildcard stands for what there is", "patient/*.read", "read:demographics read:biomarkers", "patient/Patient.read patient/Observation.read patient/DiagnosticReport.read"},
		{"a wildcard of version 2", "patient/*.cruds", "read:demographics read:biomarkers", "patient/Patient.rs patient/Observation.rs patient/DiagnosticReport.rs"},
		{"writing is not granted", "patient/Observation.*", "read:biomarkers", "patient/Observation.read"},
		{"writing alone", "patient/Observation.write", "", ""},
		{"reading without searching is less than ours", "patient/Observation.r", "", ""},
		{"searching without reading too", "patient/Observation.s", "", ""},
		{"the category that there is", "patient/Observation.rs" + laboratory, "read:biomarkers", "patient/Observation.rs" + laboratory},
		{"the category without its system", "patient/Observation.rs?category=laboratory", "read:biomarkers", "patient/Observation.rs?category=laboratory"},
		{"another category", "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs", "", ""},
		{"another parameter", "patient/Observation.rs?code=http://loinc.org|3016-3", "", ""},
		{"two parameters", "patient/Observation.rs?category=laboratory&status=final", "", ""},
		{"version 1 has no parameters", "patient/Observation.read?category=laboratory", "", ""},
		{"a category of all resources", "patient/*.rs?category=laboratory", "", ""},
		{"what is not served", "patient/Condition.read patient/Observation.read", "read:biomarkers", "patient/Observation.read"},
		{"other contexts", "user/Observation.read system/*.rs launch launch/encounter online_access openid", "openid", "openid"},
		{"twice", "patient/Observation.rs patient/Observation.rs", "read:biomarkers", "patient/Observation.rs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := loop.ParseScopes(test.asked)
			if err != nil || got.Scopes().String() != test.opens || got.String() != test.answered {
				t.Errorf("%q opens %q and is answered %q, %v", test.asked, got.Scopes(), got, err)
			}
			if again := loop.ReadScopeRequest(got.String()); again.String() != got.String() {
				t.Errorf("%q reads back as %q", got, again)
			}
		})
	}
}

func TestParseScopes_WhatHasNotTheFormOfSMARTIsUnknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"patient", "patient/", "patient/Observation", "patient/Observation.", "patient/.read", "patient/Observation.reads", "patient/Observation.sr",
		"patient/Observation.rr", "patient/Obs<b>.read", "patients/Observation.read", "Patient/Observation.read", "fhiruser", "patient/Observation.READ", "patient/Öbservation.rs",
	} {
		if got, err := loop.ParseScopes(name); loop.AsError(err).Code != loop.InvalidScope {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
}

func TestScopeRequest_WithinIsWhatIsAllowed(t *testing.T) {
	t.Parallel()
	asked := loop.ReadScopeRequest("openid launch/patient fhirUser patient/Patient.rs patient/Observation.rs offline_access")
	for _, test := range []struct {
		allowed loop.Scopes
		want    string
		patient bool
	}{
		{loop.NewScopes(loop.ScopeOpenID, loop.ScopeReadBiomarkers), "openid launch/patient fhirUser patient/Observation.rs offline_access", true},
		{loop.NewScopes(loop.ScopeReadDemographics), "launch/patient patient/Patient.rs offline_access", true},
		{loop.NewScopes(loop.ScopeEmail), "offline_access", false},
	} {
		got := asked.Within(test.allowed)
		if got.String() != test.want || got.OfPatient() != test.patient || len(got.Scopes().Without(test.allowed)) > 0 {
			t.Errorf("within %v: %q", test.allowed, got)
		}
	}
	if more := asked.And(loop.NewScopes(loop.ScopeEmail, loop.ScopeReadBiomarkers)); more.Own.String() != "openid email" {
		t.Errorf("with more: %q", more)
	}
}
