package resultview

import (
	"cmp"
	"math"
	"strconv"
)

// axis maps the numbers from low to high onto a stretch of the drawing. Drawing needs
// no exact numbers: what is said of a value is said by its own digits.
type axis struct {
	low, high float64 // low is below high
	from, to  float64 // where they are drawn
}

// newAxis makes an axis that holds all these numbers, with some room beyond them where
// it is asked for. Of numbers that are all equal, the one is in its middle.
func newAxis(numbers []float64, room, from, to float64) axis {
	low, high := numbers[0], numbers[0]
	for _, n := range numbers {
		low, high = min(low, n), max(high, n)
	}
	margin := (high - low) * room
	if high == low {
		margin = cmp.Or(math.Abs(low)/2, 1)
	}
	a := axis{low - margin, high + margin, from, to}
	if low >= 0 && a.low < 0 && high > low {
		a.low = 0 // what is never negative has no room below nought
	}
	return a
}

// at gives where a number is drawn; beyond the ends, at the end.
func (a axis) at(n float64) float64 {
	share := (min(max(n, a.low), a.high) - a.low) / (a.high - a.low)
	return a.from + share*(a.to-a.from)
}

// tick is a number that is written beside an axis.
type tick struct {
	at   float64
	text string // with a point
}

// maxTicks bounds what is written beside an axis.
const maxTicks = 6

// ticks gives two to six round numbers within the axis.
func (a axis) ticks() []tick {
	step, places := roundStep((a.high - a.low) / 4)
	first := math.Ceil(a.low / step)
	var ticks []tick
	for i := range maxTicks {
		if n := (first + float64(i)) * step; n <= a.high {
			ticks = append(ticks, tick{a.at(n), strconv.FormatFloat(n, 'f', places, 64)})
		}
	}
	return ticks
}

// roundStep gives 1, 2 or 5 times a power of ten, at least as large as what is asked
// for, and how many places its multiples have.
func roundStep(atLeast float64) (step float64, places int) {
	power := math.Floor(math.Log10(atLeast))
	for _, factor := range []float64{1, 2, 5, 10} {
		if step = factor * math.Pow(10, power); step >= atLeast {
			break
		}
	}
	return step, max(0, -int(math.Floor(math.Log10(step)+1e-9)))
}
