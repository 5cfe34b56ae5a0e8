package labcsv

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/loop-health/loop/internal/biomarker"
)

// The headers of exports that are met often, and a layout of our own. All results are
// synthetic.
const (
	function = "biomarkerName,questBiomarkerCode,dateOfService,testResultRaw,testResultNumeric,measurementUnits,statusLabel,rangeString,requisitionId\n"
	sutter   = "orderKey,componentID,componentName,loincCode,value,units,referenceRangeFormatted,prioritizedInstantISO\n"
)

func german() *Layout {
	return &Layout{Date: "DD.MM.YYYY hh:mm", Decimal: ",", Columns: Columns{
		Name: "Test", Value: "Wert", Unit: "Einheit", Low: "von", High: "bis", Collected: "Datum", Patient: "Fall", Flag: "Kennung",
	}}
}

const germanFile = "Fall;Test;Wert;Einheit;von;bis;Kennung;Datum\n7;Kreatinin;1.234,50;µmol/L;0,9;1.300,0;H;02.03.2026 07:30\n"

func read(text string, layout *Layout, zone *time.Location) (said, rows []string, err error) {
	r := NewReader(strings.NewReader(text), layout, zone, nil)
	for {
		result, err := r.Next()
		if errors.Is(err, io.EOF) {
			return said, rows, nil
		}
		if row, ok := errors.AsType[*biomarker.Row](err); ok {
			rows = append(rows, row.Place+": "+row.Reason)
			continue
		}
		if err != nil {
			return said, rows, err
		}
		in := &result.Incoming
		said = append(said, fmt.Sprintf("%s %s%s%s %s [%s %s] %s %s %q", result.Names[0].Code, in.Comparator, in.Value, in.Text, in.Unit, in.Range.Low, in.Range.High, in.Collected, result.Report, result.Patient))
	}
}

func encoded(t *testing.T, encode func(string) (string, error), text string) string {
	t.Helper()
	out, err := encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReader_ReadsEveryFormOfAFile(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("", 3600)
	plain := sutter + "o1,c1,TSH,3016-3,2.40,mIU/L,0.4-4.5,2026-03-02T07:30:00Z\n"
	want := `3016-3 2.40 mIU/L [0.4 4.5] 2026-03-02T07:30:00Z o1 ""`
	utf16 := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder()
	latin := german()
	latin.Charset = "windows-1252"
	for name, test := range map[string]struct {
		text   string
		layout *Layout
		zone   *time.Location
		want   string
	}{
		"an export of Sutter":            {plain, nil, nil, want},
		"an export of Function Health":   {function + "WBC,30000000,2026-03-02,5.1,5.1,Thousand/uL,In Range,3.8-10.8,r1\n", nil, nil, `30000000 5.1 Thousand/uL [3.8 10.8] 2026-03-02 r1 ""`},
		"words":                          {function + "Color,1,2026-03-02,DARK YELLOW,,,,YELLOW,r1\n", nil, nil, `1 DARK YELLOW  [ ] 2026-03-02 r1 ""`},
		"a name without a code":          {function + "WBC,,2026-03-02,5.1,,K/uL,,,r1\n", nil, nil, `WBC 5.1 K/uL [ ] 2026-03-02 r1 ""`},
		"a byte order mark":              {"\ufeff" + plain, nil, nil, want},
		"UTF-16":                         {encoded(t, utf16.String, plain), nil, nil, want},
		"lines that end with CR":         {strings.ReplaceAll(plain, "\n", "\r"), nil, nil, want},
		"lines that end with CRLF":       {strings.ReplaceAll(plain, "\n", "\r\n"), nil, nil, want},
		"no end of the last line":        {strings.TrimSuffix(plain, "\n"), nil, nil, want},
		"tabs":                           {strings.ReplaceAll(plain, ",", "\t"), nil, nil, want},
		"a separator that it names":      {"sep=;\n" + strings.ReplaceAll(plain, ",", ";"), nil, nil, want},
		"quotes":                         {sutter + "o1,c1,\"a, \"\"b\"\"\nc\",3016-3,\"2.40\",mIU/L,0.4-4.5,2026-03-02T07:30:00Z\n", nil, nil, want},
		"empty lines":                    {plain + ",,,,,,,\n\n", nil, nil, want},
		"a layout":                       {germanFile, german(), berlin, `Kreatinin 1234.50 µmol/L [0.9 1300.0] 2026-03-02T07:30:00+01:00  "7"`},
		"a layout without a zone":        {germanFile, german(), nil, `Kreatinin 1234.50 µmol/L [0.9 1300.0] 2026-03-02 @07:30:00 "7"`},
		"a layout with a character set":  {encoded(t, charmap.Windows1252.NewEncoder().String, germanFile), latin, berlin, `Kreatinin 1234.50 µmol/L [0.9 1300.0] 2026-03-02T07:30:00+01:00  "7"`},
		"an ISO time without a zone":     {sutter + "o1,c1,TSH,3016-3,2.40,mIU/L,,2026-03-02 07:30\n", nil, berlin, `3016-3 2.40 mIU/L [ ] 2026-03-02T07:30:00+01:00 o1 ""`},
		"an ISO time with a short zone":  {sutter + "o1,c1,TSH,3016-3,2.40,mIU/L,,2026-03-02T07:30:00+0100\n", nil, nil, `3016-3 2.40 mIU/L [ ] 2026-03-02T07:30:00+01:00 o1 ""`},
		"a comma that may be of two":     {sutter + "o1,c1,TSH,3016-3,\"1,500\",mIU/L,,2026-03-02\n", nil, nil, `3016-3 1,500 mIU/L [ ] 2026-03-02 o1 ""`},
		"an interval of another unit":    {sutter + "o1,c1,TSH,3016-3,2.40,mIU/L,0.4-4.5 mg/dL,2026-03-02\n", nil, nil, `3016-3 2.40 mIU/L [ ] 2026-03-02 o1 ""`},
		"a value that is only a formula": {sutter + "o1,c1,TSH,3016-3,=1+1,mIU/L,,2026-03-02\n", nil, nil, `3016-3 =1+1 mIU/L [ ] 2026-03-02 o1 ""`},
	} {
		t.Run(name, func(t *testing.T) {
			said, rows, err := read(test.text, test.layout, test.zone)
			if err != nil || len(rows) > 0 || strings.Join(said, "; ") != test.want {
				t.Errorf("read %q, %q, %v; want %q", said, rows, err, test.want)
			}
		})
	}
}

func TestReader_NamesTheLinesWithoutAResult(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ line, reason string }{
		"no value":          {"o1,c1,TSH,3016-3,,mIU/L,,2026-03-02", "line 2: it has no value"},
		"no name":           {"o1,,,,2.4,mIU/L,,2026-03-02", "line 2: it says not what was measured"},
		"no time":           {"o1,c1,TSH,3016-3,2.4,mIU/L,,", "line 2: it says not when"},
		"a date of two":     {"o1,c1,TSH,3016-3,2.4,mIU/L,,03/04/2026", "line 2: the time of its sample is no ISO 8601"},
		"a date of none":    {"o1,c1,TSH,3016-3,2.4,mIU/L,,2026-02-30", "line 2: the time of its sample is none"},
		"a time of none":    {"o1,c1,TSH,3016-3,2.4,mIU/L,,2026-02-03T25:00:00Z", "line 2: the time of its sample is none"},
		"a field too many":  {"o1,c1,TSH,3016-3,2.4,mIU/L,,2026-03-02,x", "line 2: it has 9 fields, and the header 8"},
		"a field too few":   {"o1,c1,TSH,3016-3,2.4,mIU/L,2026-03-02", "line 2: it has 7 fields"},
		"a line in a later": {"\"a\nb\",c1,TSH,3016-3,,mIU/L,,2026-03-02", "line 2: it has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			said, rows, err := read(sutter+test.line+"\n", nil, nil)
			if err != nil || len(said) > 0 || len(rows) != 1 || !strings.HasPrefix(rows[0], test.reason) {
				t.Errorf("read %q, %q, %v", said, rows, err)
			}
		})
	}
}

func TestReader_RefusesAFileThatIsDamaged(t *testing.T) {
	t.Parallel()
	whole := sutter + "o1,c1,TSH,3016-3,2.40,mIU/L,,2026-03-02\n"
	missing := german()
	for name, test := range map[string]struct {
		text   string
		layout *Layout
		reason string
	}{
		"nothing":                      {"", nil, "empty"},
		"a header of nobody's":         {"a,b,c\n1,2,3\n", nil, "no export that is known"},
		"a column that is missing":     {"Test;Wert\n", missing, "not there"},
		"a column that is there twice": {strings.Replace(whole, "orderKey,", "value,", 1), &Layout{Columns: Columns{LOINC: "loincCode", Value: "value", Collected: "prioritizedInstantISO"}}, "twice"},
		"a quote in a field":           {whole + "o2,a\"b,TSH,3016-3,2.40,mIU/L,,2026-03-02\n", nil, "a quote"},
		"a quote that is not closed":   {whole + "\"o2,", nil, "a quote"},
		"a quote without end":          {whole + "\"" + strings.Repeat("x\n", 2<<20), nil, "a quote is not closed"},
		"a separator of nobody's":      {"sep=\"\n" + whole, nil, "names no separator"},
		"a line without end":           {strings.Repeat("x", 2<<20), nil, "at most"},
		"another character set":        {whole + "o2,\xb5,TSH,3016-3,2.40,mIU/L,,2026-03-02\n", nil, "not UTF-8"},
		"null characters":              {whole + "o2,\x00,TSH,3016-3,2.40,mIU/L,,2026-03-02\n", nil, "null"},
		"UTF-16 without a mark":        {strings.ReplaceAll(whole, "", "\x00"), nil, "null"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(test.text, test.layout, nil)
			if fault, ok := errors.AsType[*biomarker.Malformed](err); !ok || !strings.Contains(fault.Reason, test.reason) {
				t.Errorf("%v, want a refusal with %q", err, test.reason)
			}
		})
	}
}

func TestReadLayout(t *testing.T) {
	t.Parallel()
	good := "charset = \"windows-1252\"\nseparator = \";\"\ndecimal = \",\"\ndate = \"DD.MM.YYYY\"\n[columns]\nname = \"Test\"\nvalue = \"Wert\"\ncollected = \"Datum\"\n"
	if l, err := ReadLayout(strings.NewReader(good)); err != nil || l.Columns.Value != "Wert" {
		t.Errorf("%+v, %v", l, err)
	}
	for name, text := range map[string]string{
		"no TOML":               "=",
		"a key of nobody's":     good + "units = \"Einheit\"\n",
		"a character set":       strings.Replace(good, "windows-1252", "klingon", 1),
		"a separator":           strings.Replace(good, "\";\"", "\"x\"", 1),
		"a decimal sign":        strings.Replace(good, "\",\"", "\"'\"", 1),
		"a date without a year": strings.Replace(good, "DD.MM.YYYY", "DD.MM", 1),
		"no value":              strings.Replace(good, "value = \"Wert\"\n", "", 1),
		"no name":               strings.Replace(good, "name = \"Test\"\n", "", 1),
	} {
		if l, err := ReadLayout(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// FuzzReader: whatever arrives, reading ends, and no result is without a name, a place
// and a value.
func FuzzReader(f *testing.F) {
	f.Add(sutter+"o1,c1,TSH,3016-3,2.40,mIU/L,0.4-4.5,2026-03-02T07:30:00Z\n", false)
	f.Add(function+"WBC,30000000,2026-03-02,<5.1,5.1,Thousand/uL,In Range,3.8-10.8,r1\r\n", false)
	f.Add("sep=;\n"+germanFile, true)
	f.Fuzz(func(t *testing.T, text string, own bool) {
		var layout *Layout
		if own {
			layout = german()
		}
		r := NewReader(strings.NewReader(text), layout, nil, nil)
		for {
			result, err := r.Next()
			if _, row := errors.AsType[*biomarker.Row](err); row {
				continue
			}
			if _, malformed := errors.AsType[*biomarker.Malformed](err); malformed || errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatalf("the error is no refusal: %v", err)
			}
			if len(result.Names) == 0 || result.Place == "" || result.Incoming.Collected == "" || result.Incoming.Text == "" && !result.Incoming.Value.Present() {
				t.Errorf("%+v", result)
			}
		}
	})
}
