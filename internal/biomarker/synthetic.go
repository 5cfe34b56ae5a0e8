package biomarker

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// SyntheticSource marks results that no laboratory measured.
const SyntheticSource = "synthetic-lab"

// syntheticBirth is when invented members were born, as far as values go by age.
var syntheticBirth = time.Date(1991, 6, 14, 0, 0, 0, 0, time.UTC)

// Synthetic makes up the results of an invented member: five reports in the two
// years before until, with values inside and outside their intervals. There is
// one history for a man and one for a woman, who also stands in where the sex is
// not known. Values and dates follow from sex and until alone, ids from the
// member too, so that the same call gives the same results. An error means that
// the history asks for what the catalogue lacks.
func (c *Catalogue) Synthetic(member loop.MemberID, sex loop.Sex, until time.Time) ([]Result, error) {
	if sex != loop.Male {
		sex = loop.Female
	}
	lab := laboratory{catalogue: c, sex: sex, visits: visits, incidents: incidents, chance: chance("values", string(sex)), ids: chance("ids", string(member))}
	return lab.work(until)
}

// chance is a source of randomness that gives the same each time.
func chance(labels ...string) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256([]byte("synthetic results\x00" + strings.Join(labels, "\x00"))))
}

// laboratory writes the reports of one member. It is the World that the ids of
// its results come from.
type laboratory struct {
	catalogue *Catalogue
	sex       loop.Sex
	visits    []visit
	courses   map[Code]course // in place of the tracks' own
	incidents map[incident]odd
	chance    *rand.ChaCha8
	ids       *rand.ChaCha8

	parsedAt time.Time // of the report that is being written
	results  []Result
}

// Now is when the report came in.
func (l *laboratory) Now() time.Time { return l.parsedAt }

// Elapsed is none: nothing is timed in a laboratory.
func (l *laboratory) Elapsed() time.Duration { return 0 }

// Read gives the bytes of the next id.
func (l *laboratory) Read(p []byte) (int, error) { return l.ids.Read(p) }

// work writes every report.
func (l *laboratory) work(until time.Time) ([]Result, error) {
	for n := range l.visits {
		if err := l.report(n, until); err != nil {
			return nil, fmt.Errorf("making up results: %w", err)
		}
	}
	return l.results, nil
}

// course is what happens to a biomarker over the visits.
func (l *laboratory) course(t track) course {
	if c, own := l.courses[t.code]; own {
		return c
	}
	return t.course(l.sex)
}

// report writes the n-th report: a sample drawn in the morning, its results two
// days later.
func (l *laboratory) report(n int, until time.Time) error {
	day := until.UTC().Truncate(24*time.Hour).AddDate(0, -l.visits[n].monthsAgo, -4-l.visits[n].daysAgo)
	collectedAt := day.Add(7*time.Hour + time.Duration(l.between(10, 110))*time.Minute)
	l.parsedAt = day.Add(2*24*time.Hour + 15*time.Hour + time.Duration(l.between(0, 9_000))*time.Second)

	measured := make(map[Code]int64)
	for _, t := range tracks {
		if l.visits[n].short && !t.short {
			continue
		}
		b, known := l.catalogue.Find(t.code)
		if !known {
			return fmt.Errorf("the catalogue lacks %s", t.code)
		}
		amount, err := l.measure(b, l.course(t).at(n, len(l.visits)))
		if err != nil {
			return err
		}
		if computed, ok := compute(t.code, measured); ok {
			amount = computed
		}
		measured[t.code] = amount
		result, err := l.write(b, amount, n)
		if err != nil {
			return err
		}
		result.ID = loop.NewResultID(l)
		result.CollectedAt, result.ParsedAt = collectedAt, l.parsedAt
		l.results = append(l.results, result)
	}
	return nil
}

// measure makes up a value near a place in the biomarker's interval, given in
// per cent: 0 is its lower end, 100 its upper one. Where one end is open, it is
// per cent of the other; without any, of 100. The value counts in the last
// decimal that is shown.
func (l *laboratory) measure(b *Biomarker, place int64) (int64, error) {
	reference := b.intervalsFor(Person{Sex: l.sex, BornOn: syntheticBirth}, l.parsedAt)[0].Reference
	low, err := inDecimals(reference.Low, b.Decimals)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", b.Code, err)
	}
	high, err := inDecimals(reference.High, b.Decimals)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", b.Code, err)
	}
	switch {
	case reference.Empty():
		high = 100
	case !reference.High.Present():
		low, high = 0, low
	}
	place += l.between(-4, 4)
	return max(1, low+(high-low)*place/100), nil
}

// compute gives what a laboratory does not measure but works out, in the last
// decimal that is shown: the lipids that follow from others.
func compute(code Code, measured map[Code]int64) (amount int64, ok bool) {
	hdl, ldl, total := measured["hdl-c"], measured["ldl-c"], measured["cholesterol-total"]
	switch code {
	case "cholesterol-total":
		return hdl + ldl + measured["triglycerides"]/5, true
	case "non-hdl-c":
		return total - hdl, true
	case "cholesterol-hdl-ratio":
		return (10*total + hdl/2) / hdl, true
	}
	return 0, false
}

// write puts a value down as the laboratory reports it: beyond what its method
// can measure with a comparator, and with its own interval where it has one.
func (l *laboratory) write(b *Biomarker, amount int64, n int) (Result, error) {
	r := Result{Code: b.Code, Value: fromDecimals(amount, b.Decimals), Unit: b.Unit, Source: SyntheticSource}
	if odd, ok := l.incidents[incident{l.sex, n, b.Code}]; ok {
		value, err := ParseDecimal(odd.value)
		if err != nil {
			return Result{}, err
		}
		r.Value, r.Flag = value, odd.flag
	}
	own, err := parseRange(ownIntervals[b.Code][0], ownIntervals[b.Code][1])
	if err != nil {
		return Result{}, err
	}
	method, err := parseRange(methods[b.Code][0], methods[b.Code][1])
	if err != nil {
		return Result{}, err
	}
	r.Range = own
	switch {
	case method.Low.Present() && r.Value.Compare(method.Low) < 0:
		r.Value, r.Comparator = method.Low, Below
	case method.High.Present() && r.Value.Compare(method.High) > 0:
		r.Value, r.Comparator = method.High, Above
	}
	return r, nil
}

// between gives a number from low to high.
func (l *laboratory) between(low, high int64) int64 {
	return low + rand.New(l.chance).Int64N(high-low+1) //nolint:gosec // G404: meant to be the same each time
}

// inDecimals counts a limit in units of its last decimal; 0 for no limit.
func inDecimals(d Decimal, decimals int) (int64, error) {
	if !d.Present() {
		return 0, nil
	}
	whole, fraction, _ := strings.Cut(d.String(), ".")
	if len(fraction) > decimals {
		return 0, fmt.Errorf("%s has more than %d decimals", d, decimals)
	}
	return strconv.ParseInt(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10, 64)
}

// fromDecimals writes an amount in units of its last decimal.
func fromDecimals(amount int64, decimals int) Decimal {
	digits := fmt.Sprintf("%0*d", decimals+1, amount)
	whole, fraction := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	if fraction == "" {
		return Decimal{whole}
	}
	return Decimal{whole + "." + fraction}
}
