package loop

import "time"

// SignIn is a member's live sign-in in one browser.
type SignIn struct {
	Session SessionID
	Member  *Member
	Authentication
}

// Recent reports whether the member signed in at most RecentSignIn ago.
func (s *SignIn) Recent(now time.Time) bool {
	return Alive(now, s.At, RecentSignIn+time.Microsecond)
}
