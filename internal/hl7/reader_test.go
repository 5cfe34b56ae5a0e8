package hl7

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// A synthetic message. Segments end with CR, as the standard has it.
const (
	header  = `MSH|^~\&|LAB|HOSP|LOOP|LOOP|20260302081500-0500||ORU^R01^ORU_R01|7|P|2.5.1`
	patient = `PID|1||12345^^^HOSP^MR||Synthetic^Ann||19800101|F`
	obr     = `OBR|1|ord1|fil1|1234^Panel^L|||20260302073000-0500`
	tsh     = `OBX|1|NM|3016-3^TSH^LN||2.40|mIU/L|0.40-4.50|N|||F`
)

func lines(segments ...string) string { return strings.Join(segments, "\r") + "\r" }

// read reads a document: its results, the reasons of places without one, and what ends
// it.
func read(text string, zone *time.Location) (results []biomarker.Reported, rows []string, err error) {
	r := NewReader(strings.NewReader(text), zone, nil)
	for {
		result, err := r.Next()
		if errors.Is(err, io.EOF) {
			return results, rows, nil
		}
		if row, ok := errors.AsType[*biomarker.Row](err); ok {
			rows = append(rows, row.Reason)
			continue
		}
		if err != nil {
			return results, rows, err
		}
		results = append(results, result)
	}
}

// said writes what was read of a result.
func said(r *biomarker.Reported) string {
	in := &r.Incoming
	text := fmt.Sprintf("%s %s%s%s", r.Names[0].Code, in.Comparator, in.Value, in.Text)
	for _, more := range []string{in.Unit, in.Range.Low.String(), in.Range.High.String(), string(in.Flag), string(r.State)} {
		if more != "" {
			text += " " + more
		}
	}
	return text
}

// TestReader_EachKindOfMessageHasItsOutcome: what messages are like in practice, and
// what is made of each.
func TestReader_EachKindOfMessageHasItsOutcome(t *testing.T) {
	obx := func(kind, value, unit, interval, flags, status string) string {
		return `OBX|1|` + kind + `|3016-3^TSH^LN||` + value + `|` + unit + `|` + interval + `|` + flags + `|||` + status
	}
	in := func(segments ...string) string {
		return lines(append([]string{header, patient, obr}, segments...)...)
	}
	latin := "MSH|^~\\&|LAB|HOSP|||20260302||ORU^R01|7|P|2.5.1||||||8859/1"
	for name, test := range map[string]struct{ text, results, rows string }{
		"01 a number":                             {in(tsh), "3016-3 2.40 mIU/L 0.40 4.50 normal", ""},
		"02 segments that end with LF":            {strings.ReplaceAll(in(tsh), "\r", "\n"), "3016-3 2.40 mIU/L 0.40 4.50 normal", ""},
		"03 segments that end with CRLF":          {strings.ReplaceAll(in(tsh), "\r", "\r\n"), "3016-3 2.40 mIU/L 0.40 4.50 normal", ""},
		"04 a message framed for a connection":    {"\x0b" + in(tsh) + "\x1c\r", "3016-3 2.40 mIU/L 0.40 4.50 normal", ""},
		"05 other separators":                     {"MSH$*@!%$L$H$$$20260302$$ORU*R01$7$P$2.5\rPID$1$$9\rOBR$1$$f$$$$20260302\rOBX$1$NM$3016-3*TSH*LN$$2.4$mIU/L$$$$$F\r", "3016-3 2.4 mIU/L", ""},
		"06 a number below what is measured":      {in(obx("NM", "<0.1", "mIU/L", "", "", "F")), "3016-3 <0.1 mIU/L", ""},
		"07 a number above what is measured":      {in(obx("NM", ">60", "mIU/L", "", "", "F")), "3016-3 >60 mIU/L", ""},
		"08 a decimal comma":                      {in(obx("NM", "1,5", "mIU/L", "", "", "F")), "3016-3 1.5 mIU/L", ""},
		"09 a comma that may be of thousands":     {in(obx("NM", "1,500", "mIU/L", "", "", "F")), "3016-3 1,500 mIU/L", ""},
		"10 a word as number":                     {in(obx("NM", "Negative", "", "", "", "F")), "3016-3 Negative", ""},
		"11 plus signs as number":                 {in(obx("NM", "++", "", "", "", "F")), "3016-3 ++", ""},
		"12 a padded number":                      {in(obx("NM", "  2.40 ", "mIU/L", "", "", "F")), "3016-3 2.40 mIU/L", ""},
		"13 a structured bound":                   {in(obx("SN", "<^0.1", "mIU/L", "", "", "F")), "3016-3 <0.1 mIU/L", ""},
		"14 a structured range":                   {in(obx("SN", "^1^-^5", "mIU/L", "", "", "F")), "3016-3 1-5 mIU/L", ""},
		"15 a structured titre":                   {in(obx("SN", "^1^:^160", "", "", "", "F")), "3016-3 1:160", ""},
		"16 a structured number alone":            {in(obx("SN", "=^5", "mIU/L", "", "", "F")), "3016-3 5 mIU/L", ""},
		"17 a structured number without any":      {in(obx("SN", "<", "mIU/L", "", "", "F")), "", "no number"},
		"18 coded words":                          {in(obx("CWE", "260385009^Negative^SCT", "", "", "", "F")), "3016-3 Negative", ""},
		"19 text":                                 {in(obx("ST", "DARK YELLOW", "", "", "", "F")), "3016-3 DARK YELLOW", ""},
		"20 repetitions":                          {in(obx("CE", "a^A^L~b^B^L", "", "", "", "F")), "3016-3 A; B", ""},
		"21 escapes":                              {in(obx("ST", `a\T\b\S\c\F\d\E\e\R\f\X41\\.br\g`, "", "", "", "F")), `3016-3 a&b^c|d\e~fA g`, ""},
		"22 an interval below a bound":            {in(obx("NM", "5.5", "mIU/L", "<5.7", "", "F")), "3016-3 5.5 mIU/L 5.7", ""},
		"23 an interval with spaces":              {in(obx("NM", "5.5", "mIU/L", "70 - 99", "", "F")), "3016-3 5.5 mIU/L 70 99", ""},
		"24 an interval with its unit":            {in(obx("NM", "5.5", "mIU/L", "3.5-5.1 miu/l", "", "F")), "3016-3 5.5 mIU/L 3.5 5.1", ""},
		"25 an interval of another unit":          {in(obx("NM", "5.5", "mIU/L", "3.5-5.1 mmol/L", "", "F")), "3016-3 5.5 mIU/L", ""},
		"26 an interval in a sentence":            {in(obx("NM", "5.5", "mIU/L", "<9 mIU/L:  Acceptable", "", "F")), "3016-3 5.5 mIU/L", ""},
		"27 an interval upside down":              {in(obx("NM", "5.5", "mIU/L", "9-3", "", "F")), "3016-3 5.5 mIU/L", ""},
		"28 a flag among others":                  {in(obx("NM", "5.5", "mIU/L", "", "A~HH", "F")), "3016-3 5.5 mIU/L critical", ""},
		"29 flags that contradict":                {in(obx("NM", "5.5", "mIU/L", "", "L~H", "F")), "", "contradict"},
		"30 a correction":                         {in(obx("NM", "5.5", "mIU/L", "", "", "C")), "3016-3 5.5 mIU/L corrected", ""},
		"31 a deletion":                           {in(obx("NM", "", "", "", "", "D")), "3016-3  deleted", ""},
		"32 a result of the wrong patient":        {in(obx("NM", "5.5", "mIU/L", "", "", "W")), "3016-3  deleted", ""},
		"33 a preliminary result":                 {in(obx("NM", "5.5", "mIU/L", "", "", "P")), "", "final"},
		"34 a test that was not done":             {in(obx("NM", "", "", "", "", "X")), "", "no result"},
		"35 the order's status":                   {lines(header, patient, obr+strings.Repeat("|", 18)+"C", obx("NM", "5.5", "mIU/L", "", "", "")), "3016-3 5.5 mIU/L corrected", ""},
		"36 no status at all":                     {in(obx("NM", "5.5", "mIU/L", "", "", "")), "", "no status"},
		"37 no value":                             {in(obx("NM", `""`, "mIU/L", "", "", "F")), "", "no value"},
		"38 a flag that names no side":            {in(obx("NM", "5.5", "mIU/L", "", "A", "F")), "3016-3 5.5 mIU/L", ""},
		"39 LOINC as second code":                 {in(`OBX|1|NM|TSH3^TSH^L^3016-3^Thyrotropin^LN||2.4|mIU/L|||||F`), "3016-3 2.4 mIU/L", ""},
		"40 an attached document":                 {in(obx("ED", "^application^pdf^Base64^AAAA", "", "", "", "F")), "", "attached document"},
		"41 of the specimen":                      {in(tsh, "SPM|1|||BLD|||||||||||||20260302", tsh), "3016-3 2.40 mIU/L 0.40 4.50 normal", "about the specimen"},
		"42 the specimen before the results":      {lines(header, patient, "OBR|1||f1|1", "SPM|1"+strings.Repeat("|", 16)+"20260302&20260303", tsh), "3016-3 2.40 mIU/L 0.40 4.50 normal", ""},
		"43 notes":                                {in("NTE|1||synthetic", tsh, "NTE|1||haemolysed"), "3016-3 2.40 mIU/L 0.40 4.50 normal", ""},
		"44 a character set":                      {lines(latin, patient, obr, obx("NM", "5", "\xb5IU/mL", "", "", "F")), "3016-3 5 µIU/mL", ""},
		"45 a character set that is not named":    {in(obx("NM", "5", "\xb5IU/mL", "", "", "F")), "", "MSH-18"},
		"46 another message among results":        {lines(header, patient, obr, tsh, "MSH|^~\\&|L|H|||20260302||ADT^A01|8|P|2.5.1", patient, tsh), "3016-3 2.40 mIU/L 0.40 4.50 normal", "no ORU^R01"},
		"47 no order":                             {lines(header, patient, tsh), "", "without its order"},
		"48 no time":                              {lines(header, patient, "OBR|1||f1|1", tsh), "", "when the sample was taken"},
		"49 a time that is none":                  {lines(header, patient, "OBR|1||f1|1|||20261332", tsh), "", "is none"},
		"50 a unit in words":                      {in(`OBX|1|NM|3016-3^TSH^LN||2.4|^ug/dl^L|||||F`), "3016-3 2.4 ug/dl", ""},
		"51 segments that nobody knows":           {in("ZXY|1|x", tsh), "3016-3 2.40 mIU/L 0.40 4.50 normal", ""},
		"52 a name of the laboratory's own alone": {in(`OBX|1|NM|^TSH||2.4|mIU/L|||||F`), "TSH 2.4 mIU/L", ""},
		"53 a code without any name":              {in(`OBX|1|NM|||2.4|mIU/L|||||F`), "", "names nothing"},
		"54 a value of another type":              {in(obx("XAD", "x", "", "", "", "F")), "", "not read"},
		"55 a value of no type":                   {in(obx("", "5", "mIU/L", "", "", "F")), "", "no type"},
	} {
		t.Run(name, func(t *testing.T) {
			results, rows, err := read(test.text, nil)
			var got []string
			for i := range results {
				got = append(got, said(&results[i]))
			}
			if err != nil || strings.Join(got, "; ") != test.results || len(rows) > 1 || !strings.Contains(strings.Join(rows, "; "), test.rows) || (test.rows == "") != (len(rows) == 0) {
				t.Errorf("read %q, %q, %v; want %q, %q", got, rows, err, test.results, test.rows)
			}
		})
	}
}

func TestReader_KnowsWhoseAResultIs(t *testing.T) {
	second := strings.Replace(patient, "12345", "67890", 1)
	nameless := func(name string) string { return "PID|1||||" + name + "||19800101|F" }
	for name, test := range map[string]struct{ text, patients string }{
		"two messages":              {lines(header, patient, obr, tsh, header, second, obr, tsh), "12345^^^HOSP 67890^^^HOSP"},
		"two patients in a message": {lines(header, patient, obr, tsh, second, obr, tsh), "12345^^^HOSP 67890^^^HOSP"},
		"batches":                   {lines("FHS|^~\\&|L", "BHS|^~\\&|L", header, patient, obr, tsh, header, second, obr, tsh, "BTS|2", "FTS|1"), "12345^^^HOSP 67890^^^HOSP"},
		"a batch alone":             {lines("BHS|^~\\&|L", header, patient, obr, tsh, "BTS|1"), "12345^^^HOSP"},
		"patients without ids":      {lines(header, nameless("A^B"), obr, tsh, header, nameless("C^D"), obr, tsh), "A^B^19800101 C^D^19800101"},
		"an id that repeats":        {lines(header, "PID|1||1^^^A~2^^^B||", obr, tsh), "1^^^A"},
	} {
		t.Run(name, func(t *testing.T) {
			results, rows, err := read(test.text, nil)
			var got []string
			for i := range results {
				got = append(got, results[i].Patient)
			}
			if err != nil || len(rows) > 0 || strings.Join(got, " ") != test.patients {
				t.Errorf("read %q, %q, %v", got, rows, err)
			}
		})
	}
	// An order of one patient is none of the next one's.
	if results, rows, err := read(lines(header, patient, obr, tsh, second, tsh), nil); err != nil || len(results) != 1 || len(rows) != 1 {
		t.Errorf("%v, %v, %v", results, rows, err)
	}
}

func TestReader_KnowsWhenASampleWasTaken(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for name, test := range map[string]struct {
		sent, taken string
		zone        *time.Location
		want        string
	}{
		"with its zone":              {"20260302", "20260302073000-0500", nil, "2026-03-02T07:30:00-05:00"},
		"in the zone of the message": {"20260302081500+0100", "202603020730", nil, "2026-03-02T07:30:00+01:00"},
		"in the zone that is named":  {"20260302", "202603020730", berlin, "2026-03-02T07:30:00+01:00"},
		"in summer":                  {"20260702", "202607020730", berlin, "2026-07-02T07:30:00+02:00"},
		"without any zone":           {"20260302", "202603020730", nil, "2026-03-02"},
		"a date":                     {"20260302081500-0500", "20260302", nil, "2026-03-02"},
		"a month":                    {"20260302", "202603", nil, "2026-03"},
		"a year":                     {"20260302", "2026", nil, "2026"},
		"with parts of a second":     {"20260302", "20260302073000.25-0500", nil, "2026-03-02T07:30:00.25-05:00"},
		"an hour that is none":       {"20260302", "2026030225", nil, ""},
		"a day that is none":         {"20260302", "20260230", nil, ""},
		"a zone behind a year":       {"20260302", "2026-0500", nil, ""},
		"words":                      {"20260302", "yesterday", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := lines("MSH|^~\\&|L|H|||"+test.sent+"||ORU^R01|7|P|2.5.1", patient, "OBR|1||f1|1|||"+test.taken, tsh)
			results, _, err := read(text, test.zone)
			got := ""
			if len(results) == 1 {
				got = results[0].Incoming.Collected
			}
			if err != nil || got != test.want {
				t.Errorf("read %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestReader_TellsResultsOfOneOrderApart(t *testing.T) {
	line := func(sub, value, status string) string {
		return `OBX|1|ST|X^X^L|` + sub + `|` + value + `||||||` + status
	}
	results, rows, err := read(lines(header, patient, obr, line("1", "a", "F"), line("2", "b", "F"), line("", "c", "F"), line("", "d", "F"), line("", "e", "C")), nil)
	var reports []string
	for i := range results {
		reports = append(reports, strings.TrimPrefix(results[i].Report, "LAB|HOSP|3|fil1"))
	}
	if want := "#1 #2  ~2 ~2"; err != nil || len(rows) > 0 || strings.Join(reports, " ") != want {
		t.Errorf("the results are named %q, %q, %v", reports, rows, err)
	}
}

func TestReader_RefusesADocumentThatIsDamaged(t *testing.T) {
	whole := lines(header, patient, obr, tsh)
	for name, test := range map[string]struct{ text, reason string }{
		"nothing":                         {"\r\n", "no message"},
		"no header":                       {lines(patient, obr, tsh), "begins with MSH"},
		"a header without separators":     {"MSH|\r", "no separators"},
		"separators that are one":         {"MSH||||||\r", "no separators"},
		"text between segments":           {whole + "and more\r", "no segment"},
		"a batch that is cut off":         {"BHS|^~\\&|L\r" + whole, "cut off"},
		"a file that is cut off":          {"FHS|^~\\&|L\rBHS|^~\\&|L\r" + whole + "BTS|1\r", "cut off"},
		"a batch that held more":          {"BHS|^~\\&|L\r" + whole + "BTS|2\r", "something is missing"},
		"a batch in a batch":              {"BHS|^~\\&|L\rBHS|^~\\&|L\r", "not as it should be"},
		"the end of a batch":              {whole + "BTS|1\r", "without its beginning"},
		"a result behind the batch's end": {"BHS|^~\\&|L\r" + whole + "BTS|1\r" + tsh + "\r", "begins with MSH"},
		"a segment without end":           {"MSH|^~\\&|" + strings.Repeat("x", 2<<20), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(test.text, nil)
			if fault, ok := errors.AsType[*biomarker.Malformed](err); !ok || !strings.Contains(fault.Reason, test.reason) {
				t.Errorf("%v, want a refusal with %q", err, test.reason)
			}
		})
	}
}

// FuzzReader: whatever arrives, reading ends, and no result is without a name, a place
// and a value.
func FuzzReader(f *testing.F) {
	f.Add(lines(header, patient, obr, tsh))
	f.Add(lines("FHS|^~\\&|L", "BHS|^~\\&|L", header, patient, obr, tsh, "BTS|1", "FTS|1"))
	f.Add(lines(header, patient, obr, `OBX|1|SN|1^\X41\^LN~2||<^5~^1^:^160|%||HH~A|||C`, "SPM|1", "NTE|1"))
	f.Fuzz(func(t *testing.T, text string) {
		results, _, err := read(text, time.UTC)
		if _, malformed := errors.AsType[*biomarker.Malformed](err); err != nil && !malformed {
			t.Fatalf("the error is no refusal: %v", err)
		}
		for _, r := range results {
			if len(r.Names) == 0 || r.Place == "" || r.Incoming.Collected == "" {
				t.Errorf("%+v", r)
			}
			if r.State != biomarker.Deleted && r.Incoming.Text == "" && !r.Incoming.Value.Present() {
				t.Errorf("no value: %+v", r)
			}
		}
	})
}
