package biomarker

import (
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Person is what intervals depend on.
type Person struct {
	Sex    loop.Sex  // empty: not known
	BornOn time.Time // the date, at midnight UTC; zero: not known
}

// sexes lists what the person's sex can be, for the catalogue.
func (p Person) sexes() []loop.Sex {
	if sex := p.known(); sex != "" {
		return []loop.Sex{sex}
	}
	return []loop.Sex{loop.Female, loop.Male}
}

// age is in whole years on the day of a moment; not known without a birth date.
func (p Person) age(at time.Time) (years int, known bool) {
	if p.BornOn.IsZero() {
		return 0, false
	}
	at = at.UTC()
	years = at.Year() - p.BornOn.Year()
	if at.Month() < p.BornOn.Month() || at.Month() == p.BornOn.Month() && at.Day() < p.BornOn.Day() {
		years--
	}
	return max(0, years), true
}

// intervalsFor lists the different intervals that may hold for the person at a
// moment: one where sex and age are known or don't matter, else each that could
// be. One of them is empty where no row holds.
func (b *Biomarker) intervalsFor(p Person, at time.Time) []Interval {
	if p.BornOn.IsZero() {
		return b.ofAnyAge[p.known()]
	}
	return b.findIntervals(p, at)
}

// known is the sex that intervals can depend on; empty: none is recorded.
func (p Person) known() loop.Sex {
	if p.Sex == loop.Female || p.Sex == loop.Male {
		return p.Sex
	}
	return ""
}

// gatherIntervals notes what holds for those whose age is not known: a read of results
// asks for each of them.
func (b *Biomarker) gatherIntervals() {
	b.ofAnyAge = make(map[loop.Sex][]Interval, 3)
	for _, sex := range []loop.Sex{"", loop.Female, loop.Male} {
		b.ofAnyAge[sex] = b.findIntervals(Person{Sex: sex}, time.Time{})
	}
}

func (b *Biomarker) findIntervals(p Person, at time.Time) []Interval {
	if len(b.Intervals) == 1 && b.Intervals[0].Sex == "" && b.Intervals[0].Ages.unlimited() {
		return b.Intervals
	}
	var found []Interval
	for _, sex := range p.sexes() {
		for _, age := range b.agesOf(p, at) {
			if interval := b.intervalFor(sex, age); !slices.Contains(found, interval) {
				found = append(found, interval)
			}
		}
	}
	return found
}

// agesOf gives the person's age, or, where it is not known, one age of each
// stretch that the bands of the catalogue make.
func (b *Biomarker) agesOf(p Person, at time.Time) []int {
	if age, known := p.age(at); known {
		return []int{age}
	}
	ages := []int{0}
	for _, interval := range b.Intervals {
		ages = append(ages, interval.Ages.From, interval.Ages.Below)
	}
	return ages
}

func (b *Biomarker) intervalFor(sex loop.Sex, age int) Interval {
	for _, interval := range b.Intervals {
		if (interval.Sex == "" || interval.Sex == sex) && interval.Ages.holds(age) {
			return interval
		}
	}
	return Interval{}
}
