package biomarker

import (
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestJudge(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		name  string
		code  Code
		value string // with its comparator
		sex   loop.Sex
		own   [2]string
		flag  Status

		reference [2]string
		status    Status
	}{
		{name: "inside is normal", code: "tsh", value: "2.41", reference: [2]string{"0.4", "4.0"}, status: Normal},
		{name: "the lower end is inside", code: "tsh", value: "0.40", reference: [2]string{"0.4", "4.0"}, status: Normal},
		{name: "the upper end is inside", code: "tsh", value: "4", reference: [2]string{"0.4", "4.0"}, status: Normal},
		{name: "below is low", code: "tsh", value: "0.39", reference: [2]string{"0.4", "4.0"}, status: Low},
		{name: "above is high, at full precision", code: "tsh", value: "4.0001", reference: [2]string{"0.4", "4.0"}, status: High},
		{name: "one end open: no limit on that side", code: "ldl-c", value: "1", reference: [2]string{"", "100"}, status: Normal},
		{name: "an excluded upper end is outside", code: "ldl-c", value: "100", reference: [2]string{"", "100"}, status: High},
		{name: "just below an excluded upper end is inside: rounding is for display", code: "ldl-c", value: "99.99", reference: [2]string{"", "100"}, status: Normal},
		{name: "fasting glucose of 99.087 mg/dL (5.5 mmol/L) is normal", code: "glucose-fasting", value: "99.087", reference: [2]string{"70", "100"}, status: Normal},
		{name: "<100 of below 100: normal", code: "ldl-c", value: "<100", reference: [2]string{"", "100"}, status: Normal},
		{name: "<=100 of below 100: unset", code: "ldl-c", value: "<=100", reference: [2]string{"", "100"}, status: Unset},
		{name: ">=100 of below 100: high", code: "ldl-c", value: ">=100", reference: [2]string{"", "100"}, status: High},
		{name: "no interval: unset", code: "urine-creatinine", value: "100", status: Unset},

		{name: "the critical low end is an alarm", code: "potassium", value: "2.5", reference: [2]string{"3.5", "5.0"}, status: Critical},
		{name: "just above it is low", code: "potassium", value: "2.51", reference: [2]string{"3.5", "5.0"}, status: Low},
		{name: "the critical high end is an alarm", code: "potassium", value: "6.50", reference: [2]string{"3.5", "5.0"}, status: Critical},
		{name: "just below it is high", code: "potassium", value: "6.49", reference: [2]string{"3.5", "5.0"}, status: High},

		{name: "the member's own row", code: "testosterone-total", value: "80", sex: loop.Female, reference: [2]string{"15", "70"}, status: High},
		{name: "the other row for the other sex", code: "testosterone-total", value: "80", sex: loop.Male, reference: [2]string{"300", "1000"}, status: Low},
		{name: "the row for any", code: "tsh", value: "2.41", sex: loop.Male, reference: [2]string{"0.4", "4.0"}, status: Normal},
		{name: "no row for this sex: no interval", code: "psa-total", value: "9", sex: loop.Female, status: Unset},
		{name: "its only row", code: "psa-total", value: "9", sex: loop.Male, reference: [2]string{"", "4.0"}, status: High},
		{name: "sex not known, rows disagree: unset", code: "testosterone-total", value: "80", status: Unset},
		{name: "sex not known, rows agree: that", code: "testosterone-total", value: "2000", status: High},
		{name: "sex not known, both normal", code: "haemoglobin", value: "14.0", status: Normal},
		{name: "sex not known, both critical", code: "haemoglobin", value: "5.9", status: Critical},
		{name: "sex neither: as not known", code: "haemoglobin", value: "13.0", sex: "other", status: Unset},
		{name: "sex not known, one row only: not guessed", code: "psa-total", value: "9", status: Unset},

		{name: "the laboratory's own interval wins", code: "tsh", value: "4.2", own: [2]string{"0.45", "4.50"}, reference: [2]string{"0.45", "4.50"}, status: Normal},
		{name: "and makes high what the catalogue has inside", code: "tsh", value: "3.9", own: [2]string{"0.3", "3.5"}, reference: [2]string{"0.3", "3.5"}, status: High},
		{name: "its open end stays open", code: "tsh", value: "0.01", own: [2]string{"", "3.5"}, reference: [2]string{"", "3.5"}, status: Normal},
		{name: "it stands without a row for this sex", code: "psa-total", value: "0.2", sex: loop.Female, own: [2]string{"", "0.1"}, reference: [2]string{"", "0.1"}, status: High},
		{name: "and where the sex is not known", code: "testosterone-total", value: "80", own: [2]string{"10", "60"}, reference: [2]string{"10", "60"}, status: High},
		{name: "and where the catalogue has none", code: "urine-creatinine", value: "100", own: [2]string{"20", "300"}, reference: [2]string{"20", "300"}, status: Normal},
		{name: "outside it the catalogue's critical limits hold", code: "potassium", value: "6.6", own: [2]string{"3.4", "5.1"}, reference: [2]string{"3.4", "5.1"}, status: Critical},
		{name: "inside it nothing is an alarm", code: "potassium", value: "6.6", own: [2]string{"3.4", "7.0"}, reference: [2]string{"3.4", "7.0"}, status: Normal},
		{name: "on its open side the critical limits hold", code: "potassium", value: "2.0", own: [2]string{"", "5.1"}, reference: [2]string{"", "5.1"}, status: Critical},
		{name: "on its other open side too", code: "potassium", value: "7.0", own: [2]string{"3.4", ""}, reference: [2]string{"3.4", ""}, status: Critical},

		{name: "the laboratory's flag wins for critical", code: "potassium", value: "6.2", flag: Critical, reference: [2]string{"3.5", "5.0"}, status: Critical},
		{name: "and against the catalogue's alarm", code: "potassium", value: "6.6", flag: High, reference: [2]string{"3.5", "5.0"}, status: High},
		{name: "and where there is no interval", code: "urine-creatinine", value: "500", flag: High, status: High},
		{name: "and for a comparator", code: "tsh", value: "<5", flag: Normal, reference: [2]string{"0.4", "4.0"}, status: Normal},

		{name: "<5 of at most 8: normal", code: "crp", value: "<5", reference: [2]string{"", "8.0"}, status: Normal},
		{name: "<5 from 0 to 8: normal, for nothing is below zero", code: "crp", value: "<5", own: [2]string{"0", "8"}, reference: [2]string{"0", "8"}, status: Normal},
		{name: "<5 from -2 to 8: unset, for it can be", code: "crp", value: "<5", own: [2]string{"-2", "8"}, reference: [2]string{"-2", "8"}, status: Unset},
		{name: "<5 of at most 5: normal", code: "crp", value: "<5", own: [2]string{"", "5"}, reference: [2]string{"", "5"}, status: Normal},
		{name: "<5.1 of at most 5: unset", code: "crp", value: "<5.1", own: [2]string{"", "5"}, reference: [2]string{"", "5"}, status: Unset},
		{name: "<=5 of at most 5: normal", code: "crp", value: "<=5", own: [2]string{"", "5"}, reference: [2]string{"", "5"}, status: Normal},
		{name: "<0.4 from 0.4: low", code: "tsh", value: "<0.4", reference: [2]string{"0.4", "4.0"}, status: Low},
		{name: "<=0.4 from 0.4: unset", code: "tsh", value: "<=0.4", reference: [2]string{"0.4", "4.0"}, status: Unset},
		{name: "<1 from 0.4: unset", code: "tsh", value: "<1", reference: [2]string{"0.4", "4.0"}, status: Unset},
		{name: "<3 could be low or an alarm: unset", code: "potassium", value: "<3", reference: [2]string{"3.5", "5.0"}, status: Unset},
		{name: "<2.5 is an alarm", code: "potassium", value: "<2.5", reference: [2]string{"3.5", "5.0"}, status: Critical},
		{name: "<=-1 is below every limit", code: "anion-gap", value: "<=-1", reference: [2]string{"7", "13"}, status: Low},
		{name: ">90 from 60: normal", code: "egfr", value: ">90", reference: [2]string{"60", ""}, status: Normal},
		{name: ">=60 from 60: normal", code: "egfr", value: ">=60", reference: [2]string{"60", ""}, status: Normal},
		{name: ">59 from 60: unset", code: "egfr", value: ">59", reference: [2]string{"60", ""}, status: Unset},
		{name: ">4.0 to 4.0: high", code: "tsh", value: ">4.0", reference: [2]string{"0.4", "4.0"}, status: High},
		{name: ">=4.0 to 4.0: unset", code: "tsh", value: ">=4.0", reference: [2]string{"0.4", "4.0"}, status: Unset},
		{name: ">5 could be high or an alarm: unset", code: "potassium", value: ">5", reference: [2]string{"3.5", "5.0"}, status: Unset},
		{name: ">=6.5 is an alarm", code: "potassium", value: ">=6.5", reference: [2]string{"3.5", "5.0"}, status: Critical},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, ok := c.Find(test.code)
			if !ok {
				t.Fatalf("the catalogue lacks %s", test.code)
			}
			digits := strings.TrimLeft(test.value, "<>=")
			result := Result{
				Code: test.code, Value: dec(t, digits), Comparator: Comparator(strings.TrimSuffix(test.value, digits)),
				Unit: b.Unit, Range: span(t, test.own), Flag: test.flag,
			}
			got := b.Judge(&result, Person{Sex: test.sex})
			judged := Judged{Result: result, Biomarker: b, Judgement: got}
			reference := judged.In(Conventional).Reference
			if want := span(t, test.reference); got.Status != test.status || reference.Low != want.Low || reference.High != want.High {
				t.Errorf("%s %s is judged %v against %v, want %v against %v", test.code, test.value, got.Status, reference, test.status, want)
			}
		})
	}
}

func span(t *testing.T, limits [2]string) Range {
	t.Helper()
	r, err := parseRange(limits[0], limits[1])
	if err != nil {
		t.Fatal(err)
	}
	return r
}
