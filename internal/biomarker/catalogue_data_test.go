package biomarker

import (
	"encoding/csv"
	"math/big"
	"regexp"
	"strings"
	"testing"
)

// rowsOf reads the catalogue's rows as they stand in the file.
func rowsOf(t *testing.T) []row {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(biomarkersCSV)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for _, fields := range all[1:] {
		rows = append(rows, newRow(columns, fields))
	}
	return rows
}

func TestCatalogueEachLOINCCodeIsOneBiomarkersInOneProperty(t *testing.T) {
	owner := make(map[string]Code)
	for b := range catalogue(t).All() {
		for _, loinc := range []string{b.LOINC, b.SI.LOINC} {
			if other, taken := owner[loinc]; loinc != "" && taken && other != b.Code {
				t.Errorf("%s stands for %s and %s", loinc, other, b.Code)
			}
			owner[loinc] = b.Code
		}
		if b.LOINC != "" && b.SI.LOINC == b.LOINC && property(b.Unit) != property(b.SI.Unit) {
			t.Errorf("%s: %s cannot stand for both %s and %s", b.Code, b.LOINC, b.Unit, b.SI.Unit)
		}
	}
}

// moles finds units that count particles.
var moles = regexp.MustCompile(`(^|[/.])[munpf]?mol\b`)

// property distinguishes a code's mass from its amount of substance, which LOINC gives
// codes of their own (Component and Property).
func property(unit string) string {
	if moles.MatchString(unit) {
		return "substance"
	}
	return "other"
}

func TestCatalogueConvertedLimitsFollowTheRule(t *testing.T) {
	c := catalogue(t)
	for _, r := range rowsOf(t) {
		b, _ := c.Find(Code(r["code"]))
		interval, err := r.interval()
		if err != nil {
			t.Fatal(err)
		}
		got := interval.SIReference
		switch r["si_limits"] {
		case "":
			if !interval.Reference.Empty() || !got.Empty() {
				t.Errorf("%s does not say where its SI limits come from", b.Code)
			}
		case "same":
			if !sameLimit(got.Low, interval.Reference.Low) || !sameLimit(got.High, interval.Reference.High) || b.ToSI.Factor.Cmp(tenTo(0)) != 0 {
				t.Errorf("%s: %v %s is not the same as %v %s", b.Code, got, b.SI.Unit, interval.Reference, b.Unit)
			}
		case "converted":
			want := b.convertRange(interval.Reference, b.Unit, SI)
			if !sameLimit(got.Low, want.Low) || !sameLimit(got.High, want.High) {
				t.Errorf("%s: the SI limits are %v, by the rule %v", b.Code, got, want)
			}
		case "published":
			for _, pair := range [][2]Decimal{{interval.Reference.Low, got.Low}, {interval.Reference.High, got.High}} {
				checkPublished(t, b, pair[0], pair[1])
			}
		default:
			t.Errorf("%s: si_limits is %q", b.Code, r["si_limits"])
		}
	}
}

func sameLimit(a, b Decimal) bool {
	return a.Present() == b.Present() && (!a.Present() || a.Compare(b) == 0)
}

// checkPublished makes sure that a published SI limit is near the converted one: at
// most 15 % away, which is how much guidelines round.
func checkPublished(t *testing.T, b *Biomarker, limit, published Decimal) {
	t.Helper()
	if limit.Present() != published.Present() {
		t.Errorf("%s has a limit in one system alone", b.Code)
		return
	}
	if !limit.Present() {
		return
	}
	ratio := new(big.Rat).Quo(published.rat(), b.inUnit(limit, b.Unit, b.SI.Unit))
	if ratio.Cmp(big.NewRat(85, 100)) < 0 || ratio.Cmp(big.NewRat(115, 100)) > 0 {
		t.Errorf("%s: %s %s is not %s %s", b.Code, limit, b.Unit, published, b.SI.Unit)
	}
}

// prefixes are the powers of ten of UCUM's metric prefixes that the catalogue uses.
var prefixes = map[string]int{"": 0, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "k": 3}

// scaled reads units of the form amount per volume or mass, such as ug/dL.
var scaled = regexp.MustCompile(`^([dcmunpfk]?)(g|mol|kat|\[IU\]|eq|L)/([dcmunpfk]?)(L|g|mol)$`)

func TestCatalogueFactorsBetweenPrefixesArePowersOfTen(t *testing.T) {
	checked := 0
	for b := range catalogue(t).All() {
		targets := append([]Alternative{{b.SI.Unit, b.ToSI.Factor}}, b.Alternatives...)
		for _, target := range targets {
			from, to := scaled.FindStringSubmatch(b.Unit), scaled.FindStringSubmatch(target.Unit)
			if from == nil || to == nil || from[2] != to[2] || from[4] != to[4] {
				continue
			}
			checked++
			power := prefixes[from[1]] - prefixes[to[1]] - prefixes[from[3]] + prefixes[to[3]]
			if want := tenTo(power); target.Factor.Cmp(want) != 0 {
				t.Errorf("%s: from %s to %s is %s, want %s", b.Code, b.Unit, target.Unit, target.Factor, want)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d conversions have this form", checked)
	}
}

func tenTo(power int) *big.Rat {
	size := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil)
	if power < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), size)
	}
	return new(big.Rat).SetInt(size)
}

// A substance has one molar mass, whatever its units are.
func TestCatalogueMolarMassesAgree(t *testing.T) {
	for name, test := range map[string]struct {
		codes []Code
		mass  string // grams a mole
	}{
		"glucose":     {[]Code{"glucose-fasting", "glucose"}, "180.156"},
		"cholesterol": {[]Code{"cholesterol-total", "hdl-c", "ldl-c"}, "386.65"},
		"creatinine":  {[]Code{"creatinine"}, "113.12"},
		"bilirubin":   {[]Code{"bilirubin-total", "bilirubin-direct"}, "584.66"},
		"calcium":     {[]Code{"calcium"}, "40.078"},
		"iron":        {[]Code{"iron"}, "55.845"},
	} {
		t.Run(name, func(t *testing.T) {
			mass, _ := new(big.Rat).SetString(test.mass)
			for _, code := range test.codes {
				b, _ := catalogue(t).Find(code)
				from, to := scaled.FindStringSubmatch(b.Unit), scaled.FindStringSubmatch(b.SI.Unit)
				if from == nil || to == nil || from[2] != "g" || to[2] != "mol" {
					t.Fatalf("%s converts from %s to %s", code, b.Unit, b.SI.Unit)
				}
				power := prefixes[from[1]] - prefixes[to[1]] - prefixes[from[3]] + prefixes[to[3]]
				want := new(big.Rat).Quo(tenTo(power), mass)
				off := new(big.Rat).Sub(new(big.Rat).Quo(b.ToSI.Factor, want), big.NewRat(1, 1))
				if off.Abs(off).Cmp(big.NewRat(1, 1000)) > 0 {
					t.Errorf("%s: the factor is %s, by the molar mass %s", code, b.ToSI.Factor.FloatString(6), want.FloatString(6))
				}
			}
		})
	}
}
