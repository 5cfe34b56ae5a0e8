package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoop_ResultsAreImportedFromFiles: a dry run says what an import does, which done
// twice adds nothing; what has an unknown code waits.
func TestLoop_ResultsAreImportedFromFiles(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	ada := text(t, o.object("user", "create", "--name", "Ada", "--email", "ada@members.example"), "user_id")
	results := writeFile(t, "labs.ndjson", strings.Join([]string{
		synthetic("1", "3016-3", "2.40", "mIU/L"),
		synthetic("2", "99999-9", "7", "mg/dL"),
		synthetic("3", "3016-3", "2.40", "furlongs"),
	}, "\n"))

	says := o.do("import", results, "--user", ada, "--source", "quest", "--dry-run")
	for _, want := range []string{"A dry run", "kept 1", "aside 1", "refused 1", "line 3: unit: ", `the code "99999-9"`} {
		if !strings.Contains(says, want) {
			t.Errorf("the dry run does not say %q: %s", want, says)
		}
	}
	if codes := o.do("import", "codes"); !strings.Contains(codes, "No result waits") {
		t.Errorf("a dry run left codes: %s", codes)
	}
	if says := o.do("import", results, "--user", ada, "--source", "quest"); !strings.Contains(says, "kept 1") {
		t.Errorf("the import says %s", says)
	}
	if says := o.do("import", results, "--user", ada, "--source", "quest"); !strings.Contains(says, "kept 0") || !strings.Contains(says, "duplicate 1") {
		t.Errorf("the second import says %s", says)
	}
	if codes := o.do("import", "codes"); !strings.Contains(codes, "99999-9") {
		t.Errorf("no code waits: %s", codes)
	}
	if says := o.do("import", "map", "http://loinc.org", "99999-9", "glucose"); !strings.Contains(says, "kept: 1") {
		t.Errorf("the mapping says %s", says)
	}
	if record := o.do("audit", "tail", "-n", "9"); !strings.Contains(record, "code.mapped") || !strings.Contains(record, "biomarkers.imported") {
		t.Errorf("the record is %s", record)
	}
}

func TestLoop_AnImportThatIsWrongSaysWhy(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	ada := text(t, o.object("user", "create", "--name", "Ada", "--email", "ada@members.example"), "user_id")
	good := writeFile(t, "labs.ndjson", synthetic("1", "3016-3", "2.40", "mIU/L"))
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"of nobody":               {[]string{"import", good}, "--user"},
		"of somebody in words":    {[]string{"import", good, "--user", "ada"}, "a member's id"},
		"of a user and patients":  {[]string{"import", good, "--user", ada, "--patients", good}, "--patients"},
		"without a file":          {[]string{"import", filepath.Join(t.TempDir(), "none"), "--user", ada}, "none"},
		"of a folder":             {[]string{"import", t.TempDir(), "--user", ada}, "is no file"},
		"of a source in words":    {[]string{"import", good, "--user", ada, "--source", "Quest Inc"}, "kebab-case"},
		"of patients in no form":  {[]string{"import", good, "--patients", good}, "the file of patients"},
		"of a damaged file":       {[]string{"import", good, writeFile(t, "bad.json", "{"), "--user", ada}, "bad.json"},
		"of columns in no form":   {[]string{"import", good, "--user", ada, "--columns", good}, "the file of columns"},
		"in no zone":              {[]string{"import", good, "--user", ada, "--zone", "Mars"}, "--zone"},
		"of a batch in no form":   {[]string{"import", "batch"}, "not well-formed JSON"},
		"a code without a system": {[]string{"import", "map", "x", "y", "tsh"}, "its system"},
	} {
		if _, faults, status := o.try(c.args...); status == 0 || !strings.Contains(faults, c.says) {
			t.Errorf("%s: status %d, it says %s", name, status, faults)
		}
	}
	if says := o.do("import", good, "--user", ada); !strings.Contains(says, "kept 1") {
		t.Errorf("something was imported before: %s", says)
	}
}

func TestLoop_CSVAndHL7AreImportedByTheirLayoutAndZone(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	ada := text(t, o.object("user", "create", "--name", "Ada", "--email", "ada@members.example"), "user_id")
	columns := writeFile(t, "columns.toml", "date = \"DD.MM.YYYY hh:mm\"\ndecimal = \",\"\n[columns]\nloinc = \"LOINC\"\nvalue = \"Wert\"\nunit = \"Einheit\"\ncollected = \"Datum\"\npatient = \"Fall\"\n")
	csv := writeFile(t, "labor.csv", "Fall;LOINC;Wert;Einheit;Datum\n7;3016-3;2,40;mIU/L;02.03.2026 07:30\n")
	hl7 := writeFile(t, "labs.hl7", "MSH|^~\\&|L|H|||20260302||ORU^R01|7|P|2.5.1\rPID|1||7\rOBR|1||f1|1|||20260302\rOBX|1|NM|3016-3^TSH^LN||2.40|mIU/L|||||F\r")
	patients := writeFile(t, "patients.csv", "patient,user_id\n7,"+ada+"\n")
	if says := o.do("import", csv, hl7, "--patients", patients, "--columns", columns, "--zone", "Europe/Berlin", "--json"); !strings.Contains(says, `"kept":2`) {
		t.Errorf("the import says %s", says)
	}
}

// synthetic is an Observation that is invented.
func synthetic(id, loinc, value, unit string) string {
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"` + loinc + `"}]},` +
		`"subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-03-02","valueQuantity":{"value":` + value + `,"unit":"` + unit + `"}}`
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
