package loop

// Standing is whether an app works, and why not.
type Standing string

// The standings of an app.
const (
	Works              Standing = ""
	Disabled           Standing = "client disabled"
	DeveloperSuspended Standing = "developer suspended"
)

// Standing says whether the app works. One that doesn't is given nothing: no code,
// no token, no answer to one that it holds.
func (c *Client) Standing() Standing {
	switch {
	case c.OwnerSuspended:
		return DeveloperSuspended
	case !c.Enabled:
		return Disabled
	}
	return Works
}

// Explain says to a developer why an app of this standing gets nothing.
func (s Standing) Explain() string {
	switch s {
	case DeveloperSuspended:
		return "This app has stopped, because the account of its developer is suspended. It works again once the operator of the platform reinstates them."
	case Disabled:
		return "This app is disabled. Its developer can enable it in the developer portal."
	}
	return ""
}
