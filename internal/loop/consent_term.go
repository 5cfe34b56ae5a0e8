package loop

import "time"

// Term is how long a member lets an app have what they allow, as they choose it.
type Term string

// The terms. Each runs from the moment of the member's answer.
const (
	TermOpen    Term = "open" // until the member disconnects the app
	TermDay     Term = "day"
	Term30Days  Term = "30-days"
	TermYear    Term = "year"
	TermAsItWas Term = "as-it-was" // the end of the grant that there is stays; a new one has none
)

// Terms lists the terms with an end of their own, the shortest first, and then the
// open one.
func Terms() []Term { return []Term{TermDay, Term30Days, TermYear, TermOpen} }

// End is when a consent of this term ends that is given now, where the grant ended at
// before so far; zero: it has no end. ValidationError for what is no term.
func (t Term) End(now, before time.Time) (time.Time, error) {
	switch t {
	case TermOpen:
		return time.Time{}, nil
	case TermAsItWas:
		return before, nil
	case TermDay:
		return now.Add(24 * time.Hour), nil
	case Term30Days:
		return now.Add(30 * 24 * time.Hour), nil
	case TermYear:
		return now.AddDate(1, 0, 0), nil
	}
	return time.Time{}, Errorf(ValidationError, "The term is one of day, 30-days, year and open.").About("term")
}

// Earlier is the earlier of two ends; zero means none.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
