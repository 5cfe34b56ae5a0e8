package loop

// EndedSession is a sign-in that ended, and who hears of it: the apps that hold
// tokens of it and have an address for logout tokens.
type EndedSession struct {
	ID     SessionID
	Member MemberID
	Apps   []ClientID
}
