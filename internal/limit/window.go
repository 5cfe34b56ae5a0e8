package limit

// The width of the window and of the slots that it slides by, in milliseconds
// like all arithmetic of this package.
const (
	minute = 60_000
	slots  = 12 // in a minute
	slot   = minute / slots
)

// tally is how often something happened in each slot of one of the clock's
// minutes.
type tally [slots]uint32

// window is the last sixty seconds: what is left of the minute before, and the
// present one so far. The slot that the window's edge lies in counts whole, so
// that no sixty seconds ever hold more than the limit; the price is a wait of
// up to one slot more.
type window struct {
	past, present *tally
	elapsed       int64 // of the present minute: 0 to minute-1
}

// count is how often it happened within the window.
func (w window) count() int64 {
	var n int64
	for _, c := range w.past[w.elapsed/slot:] {
		n += int64(c)
	}
	for _, c := range w.present {
		n += int64(c)
	}
	return n
}

// add counts once more.
func (w window) add() { w.present[w.elapsed/slot]++ }

// wait is how long it takes, if it does not happen again, until the window holds
// no more than most.
func (w window) wait(most int64) int64 {
	n := w.count()
	if n <= most {
		return 0
	}
	for i := w.elapsed / slot; ; i++ { // the oldest goes first; ends, since n reaches 0
		if i < slots {
			n -= int64(w.past[i])
		} else {
			n -= int64(w.present[i-slots])
		}
		if n <= most {
			return (i+1)*slot - w.elapsed
		}
	}
}
