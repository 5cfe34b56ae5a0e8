package loop

// SignIn is a member's live sign-in in one browser.
type SignIn struct {
	Session SessionID
	Member  *Member
	Authentication
}
