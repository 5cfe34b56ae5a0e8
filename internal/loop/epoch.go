package loop

// Epoch is a position in the life of the platform's state. The state goes
// forwards within an epoch; putting it back to an earlier moment begins another.
type Epoch struct {
	Number  uint64 `json:"number"`  // from 1
	Counter uint64 `json:"counter"` // of revocations: it never falls
}

// Before reports whether a state at e is older than one at other.
func (e Epoch) Before(other Epoch) bool {
	if e.Number != other.Number {
		return e.Number < other.Number
	}
	return e.Counter < other.Counter
}

// Next is where the epoch after both begins: whoever has seen either has seen
// less.
func (e Epoch) Next(other Epoch) Epoch {
	return Epoch{Number: max(e.Number, other.Number) + 1, Counter: max(e.Counter, other.Counter) + 1}
}
