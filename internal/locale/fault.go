package locale

import "github.com/loop-health/loop/internal/loop"

// Fault is what a member reads of an error: its own words where it has some, else
// those of every error with its code; and how long to wait, where that is known.
func (l *Language) Fault(e *loop.Error) string {
	if e.RetryAfter > 0 {
		return l.faultAlone(e) + " " + l.Text("fault.wait", e.RetryAfter)
	}
	return l.faultAlone(e)
}

func (l *Language) faultAlone(e *loop.Error) string {
	if e.Notice != "" {
		return l.Notice(e.Notice)
	}
	key := "fault." + string(e.Code)
	if there, _ := l.Has(key); !there {
		key = "fault.general" // codes that reach apps and no page
	}
	return l.Text(key)
}
