package intake

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/labcsv"
	"github.com/loop-health/loop/internal/loop"
)

const (
	anna = loop.MemberID("user_01KAXYZ0000000000000000000")
	ben  = loop.MemberID("user_01KAXYZ0000000000000000001")
)

// observation is a synthetic Observation of a patient.
func observation(id, patient string) string {
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"3016-3"}]},` +
		`"subject":{"reference":"Patient/` + patient + `"},"effectiveDateTime":"2026-03-02","valueQuantity":{"value":2.40,"unit":"mIU/L"}}`
}

func file(name, text string) File {
	return File{Name: name, Size: int64(len(text)), ReaderAt: strings.NewReader(text)}
}

func zipped(t *testing.T, inner map[string]string) string {
	t.Helper()
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, inner[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// taken imports files, and gives of each member the reports that were kept.
func taken(t *testing.T, options Options, files ...File) (kept map[loop.MemberID][]string, lines []Line, summary Summary, err error) {
	t.Helper()
	kept = make(map[loop.MemberID][]string)
	options.Source = "quest"
	options.Line = func(line Line) { lines = append(lines, line) }
	options.Keep = func(_ context.Context, batch Batch) ([]Outcome, error) {
		outcomes := make([]Outcome, len(batch.Items))
		for i, item := range batch.Items {
			kept[item.Member] = append(kept[item.Member], item.Result.Report)
			outcomes[i] = Outcome{Kind: Kept}
		}
		return outcomes, nil
	}
	summary, err = Import(t.Context(), files, options)
	return kept, lines, summary, err
}

func TestImport_TakesEveryFormOfAFile(t *testing.T) {
	t.Parallel()
	one, two := observation("1", "p"), observation("2", "p")
	hl7 := "MSH|^~\\&|L|H|||20260302||ORU^R01|7|P|2.5.1\rPID|1||p\rOBR|1||f1|1|||20260302\r" +
		"OBX|1|NM|3016-3^TSH^LN||2.40|mIU/L|||||F\rOBR|1||f2|1|||20260302\rOBX|1|NM|3016-3^TSH^LN||2.40|mIU/L|||||F\r"
	csv := "requisitionId,biomarkerName,questBiomarkerCode,dateOfService,testResultRaw,measurementUnits,rangeString\n" +
		"r1,TSH,1,2026-03-02,2.4,mIU/L,\nr2,TSH,1,2026-03-02,2.4,mIU/L,\n"
	for name, text := range map[string]string{
		"NDJSON":            one + "\n" + two,
		"after a byte mark": "\xef\xbb\xbf" + one + "\n" + two,
		"a Bundle":          "{\"resourceType\":\"Bundle\",\n\"entry\":[{\"resource\":" + one + "},{\"resource\":" + two + "}]}",
		"HL7 v2":            hl7,
		"HL7 v2, framed":    "\x0b" + hl7 + "\x1c\r",
		"CSV":               csv,
		"CSV with a mark":   "\xef\xbb\xbf" + csv,
		"a zip of each":     zipped(t, map[string]string{"a.json": one, "b.csv": strings.Join(strings.SplitAfterN(csv, "\n", 3)[:2], "")}),
		"a zip":             zipped(t, map[string]string{"a.json": one, "b/c.ndjson": two, "readme.txt": "x"}),
		"Apple Health":      zipped(t, map[string]string{"apple_health_export/clinical-records/Observation-1.json": one, "apple_health_export/clinical-records/Observation-2.json": two, "apple_health_export/export.xml": "<x/>"}),
	} {
		t.Run(name, func(t *testing.T) {
			kept, lines, summary, err := taken(t, Options{Member: anna}, file("f", text))
			if err != nil || len(lines) > 0 || len(kept[anna]) != 2 || kept[anna][0] == kept[anna][1] || summary.Counts[Kept] != 2 {
				t.Errorf("%v, %v, %+v, %v", kept, lines, summary, err)
			}
		})
	}
}

// TestSec340_TwoPatientsInOneFileNeverMix: without a mapping nothing is imported; with
// one each result goes to whom its patient is, or nowhere.
func TestSec340_TwoPatientsInOneFileNeverMix(t *testing.T) {
	t.Parallel()
	both := observation("1", "p") + "\n" + observation("2", "q") + "\n" + observation("3", "p") + "\n" + strings.Replace(observation("4", ""), `"reference":"Patient/"`, "", 1)
	ofTwo := "who,code,value,unit,at\np,3016-3,2.4,mIU/L,2026-03-02\nq,3016-3,2.4,mIU/L,2026-03-02\n"
	for name, files := range map[string][]File{
		"in a file":              {file("f", both)},
		"in a zip":               {file("f", zipped(t, map[string]string{"a.json": observation("1", "p"), "b.json": observation("2", "q")}))},
		"in HL7":                 {file("f", "MSH|^~\\&|L|H|||20260302||ORU^R01|7|P|2.5.1\rPID|1||p\rPID|1||q\r")},
		"in CSV":                 {{Name: "f", Size: int64(len(ofTwo)), ReaderAt: strings.NewReader(ofTwo)}},
		"in the second of files": {file("e", observation("0", "p")), file("f", both)},
		"as a patient alone":     {file("f", observation("1", "p")+"\n"+`{"resourceType":"Patient","id":"q"}`)},
	} {
		options := Options{Member: anna, Layout: &labcsv.Layout{Columns: labcsv.Columns{Patient: "who", LOINC: "code", Value: "value", Unit: "unit", Collected: "at"}}}
		kept, _, _, err := taken(t, options, files...)
		if err == nil || !strings.Contains(err.Error(), "several patients") || len(kept) > 0 {
			t.Errorf("%s: %v, %v", name, kept, err)
		}
	}
	kept, lines, _, err := taken(t, Options{Patients: map[string]loop.MemberID{"Patient/p": anna}}, file("f", both))
	if err != nil || fmt.Sprint(kept) != fmt.Sprintf("map[%s:[Observation/1 Observation/3]]", anna) || len(lines) != 2 {
		t.Errorf("%v, %v, %v", kept, lines, err)
	}
	kept, lines, _, err = taken(t, Options{Patients: map[string]loop.MemberID{"Patient/p": anna, "Patient/q": ben}}, file("f", both))
	if err != nil || fmt.Sprint(kept[ben]) != "[Observation/2]" || len(kept[anna]) != 2 || len(lines) != 1 || lines[0].Place != "line 4" {
		t.Errorf("%v, %v, %v", kept, lines, err)
	}
}

// TestSec341_ADamagedFileChangesNothing: not a result of any file is kept, wherever in
// them the damage is.
func TestSec341_ADamagedFileChangesNothing(t *testing.T) {
	t.Parallel()
	whole := file("whole", observation("1", "p"))
	packed := zipped(t, map[string]string{"a.json": observation("1", "p")})
	for name, text := range map[string]string{
		"cut off":               observation("1", "p") + "\n" + observation("2", "p")[:50],
		"empty":                 "",
		"of no format":          "\x00\x01\x02",
		"a list":                "[" + observation("1", "p") + "]",
		"a zip cut off":         packed[:len(packed)-10],
		"a zip with damage":     strings.Replace(packed, "PK\x03\x04", "PK\x03\x04\xff", 1),
		"a zip of nothing":      zipped(t, map[string]string{"a.txt": "x"}),
		"a zip with bad a file": zipped(t, map[string]string{"a.json": observation("1", "p"), "b.json": "{"}),
	} {
		kept, _, _, err := taken(t, Options{Member: anna}, whole, file("damaged", text))
		if err == nil || !strings.Contains(err.Error(), "damaged") || len(kept) > 0 {
			t.Errorf("%s: %v, %v", name, kept, err)
		}
	}
}

// TestSec342_WhatUnpacksWithoutEndIsRefused: a zip of a few kilobytes, gigabytes long
// once it is unpacked.
func TestSec342_WhatUnpacksWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	line := strings.Repeat(" ", 1<<20) + "\n"
	bomb := zipped(t, map[string]string{"a.json": observation("1", "p") + strings.Repeat(line, 80)})
	kept, _, _, err := taken(t, Options{Member: anna}, file("f", bomb))
	if err == nil || !strings.Contains(err.Error(), "times its size") || len(kept) > 0 {
		t.Errorf("%v, %v", kept, err)
	}
}

func TestImport_StopsWhereABatchIsNotKept(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	text := strings.Repeat(observation("1", "p")+"\n", 3*MaxBatch)
	calls := 0
	_, err := Import(t.Context(), []File{file("f", text)}, Options{Member: anna, Keep: func(context.Context, Batch) ([]Outcome, error) {
		calls++
		return nil, full
	}})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// endless gives the same text again and again, as a file of any size.
type endless struct{ text string }

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], e.text[(at+int64(n))%int64(len(e.text)):])
	}
	return len(p), nil
}

// TestImport_HoldsOneBatchAtATime: however long a file is, no more than a few batches
// are in memory.
func TestImport_HoldsOneBatchAtATime(t *testing.T) {
	t.Parallel()
	text := observation("1", "p") + "\n"
	count := int64(40 * MaxBatch)
	waiting, most := 0, 0
	_, err := Import(t.Context(), []File{{Name: "f", Size: count * int64(len(text)), ReaderAt: endless{text}}}, Options{
		Member: anna,
		Keep: func(_ context.Context, batch Batch) ([]Outcome, error) {
			waiting += len(batch.Items)
			most = max(most, len(batch.Items))
			return make([]Outcome, len(batch.Items)), nil
		},
	})
	if err != nil || int64(waiting) != count || most > MaxBatch {
		t.Errorf("%d results in batches of up to %d, %v", waiting, most, err)
	}
}

func TestReadPatients(t *testing.T) {
	t.Parallel()
	patients, err := ReadPatients(strings.NewReader("\ufeffpatient,user_id\r\nPatient/p, " + string(anna) + "\n\"MRN,7\"," + string(ben) + "\n"))
	if err != nil || len(patients) != 2 || patients["Patient/p"] != anna || patients["MRN,7"] != ben {
		t.Errorf("%v, %v", patients, err)
	}
	for name, text := range map[string]string{
		"three columns":       "a," + string(anna) + ",x",
		"no member":           "a,b",
		"no patient":          "," + string(anna),
		"twice":               "a," + string(anna) + "\na," + string(ben),
		"a header in the end": "a," + string(anna) + "\npatient,user_id",
	} {
		if patients, err := ReadPatients(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %v", name, patients)
		}
	}
}
