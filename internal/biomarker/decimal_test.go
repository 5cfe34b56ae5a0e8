package biomarker

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

func TestDecimalKeepsTheLaboratorysDigits(t *testing.T) {
	for _, text := range []string{
		"0", "0.0", "2.40", "2.4", "100", "0.005", "-3.1", "1.030", "999999999999999",
		"1e-05", "1E3", "1.5e+2", "0.000000000000001", "0e5", "12345.678901234567890",
	} {
		t.Run(text, func(t *testing.T) {
			d, err := ParseDecimal(text)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := json.Marshal(struct{ V Decimal }{d})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(encoded), `{"V":`+text+`}`; got != want {
				t.Errorf("JSON is %s, want %s", got, want)
			}
		})
	}
}

func TestSec107_DecimalRefusesWhatIsNoMeasurement(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                "",
		"NaN":                    "NaN",
		"infinity":               "Infinity",
		"an endless exponent":    "1e400",
		"a long exponent":        "1e0001",
		"two signs":              "1e+-3",
		"too large":              "1e16",
		"too small":              "1e-17",
		"minus zero":             "-0",
		"minus zero, written on": "-0.00",
		"400 digits":             strings.Repeat("9", 400),
		"400 digits after 0.":    "0." + strings.Repeat("0", 400),
		"a plus sign":            "+5",
		"no digit before":        ".5",
		"no digit behind":        "5.",
		"a leading zero":         "007",
		"hexadecimal":            "0x1F",
		"a comma":                "2,41",
		"a comparator":           "<5",
		"space":                  " 5",
		"NUL":                    "5\x00",
		"other digits":           "٥",
		"two points":             "1.2.3",
		"underscore":             "1_000",
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := ParseDecimal(text); err == nil {
				t.Errorf("%q is read as %v", text, d)
			}
		})
	}
}

func TestDecimalAbsentIsNull(t *testing.T) {
	encoded, err := json.Marshal(Decimal{})
	if err != nil || string(encoded) != "null" {
		t.Errorf("JSON is %s, %v", encoded, err)
	}
}

func TestDecimalComparesNumbersNotDigits(t *testing.T) {
	ascending := []string{"-100", "-2.5", "-2.40", "-0.001", "0", "1e-05", "0.001", "0.0011", "0.9", "1", "1.0001", "9.99", "10", "99", "99.5", "1e3", "1001"}
	for i, a := range ascending {
		for j, b := range ascending {
			want := big.NewInt(int64(i)).Cmp(big.NewInt(int64(j)))
			if got := dec(t, a).Compare(dec(t, b)); got != want {
				t.Errorf("%s against %s is %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"2.40", "2.4"}, {"5", "5.000"}, {"0", "0.0"}, {"1000", "1e3"}, {"0.00001", "1e-05"}, {"-1.50", "-1.5"}} {
		if dec(t, same[0]).Compare(dec(t, same[1])) != 0 {
			t.Errorf("%s and %s are not equal", same[0], same[1])
		}
	}
}

// FuzzParseDecimal: what parses is printed with the same digits, is JSON, and
// compares as the exact rational number that it writes.
func FuzzParseDecimal(f *testing.F) {
	for _, seed := range []string{"2.40", "0", "-1.5", "1e-05", "NaN", "-0", "1e400", "99.999", "0.0001"} {
		f.Add(seed, "2.4")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err := ParseDecimal(a)
		if err != nil {
			return
		}
		if x.String() != a || !json.Valid([]byte(a)) {
			t.Fatalf("%q is printed as %q", a, x)
		}
		y, err := ParseDecimal(b)
		if err != nil {
			return
		}
		exactX, okX := new(big.Rat).SetString(a)
		exactY, okY := new(big.Rat).SetString(b)
		if !okX || !okY {
			t.Fatalf("%q or %q is no number", a, b)
		}
		if got, want := x.Compare(y), exactX.Cmp(exactY); got != want {
			t.Fatalf("%s against %s is %d, want %d", a, b, got, want)
		}
	})
}

func dec(t testing.TB, text string) Decimal {
	t.Helper()
	d, err := ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
