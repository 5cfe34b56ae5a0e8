package limit

import "github.com/loop-health/loop/internal/loop"

// Class is a kind of requests with a limit of its own: what one class has used
// up, another still has.
type Class uint8

// The classes (docs/limits.md).
const (
	Authorize            Class = iota // authorization requests, by network
	Token                             // the token endpoint, by client
	Introspect                        // introspection, by client
	Revoke                            // revocation, by client
	Read                              // reads with an access token, by client
	Write                             // writes with an access token, by client
	Portal                            // the developer portal, by developer, else by network
	FailedAuthentication              // client authentications that failed, by network
	Registrations                     // clients that register themselves, by network
	Documents                         // metadata documents fetched for clients that nobody has allowed, by network
)

// names are how figures name the classes, and a client's own limits those that
// count by client.
var names = [...]string{
	Authorize: "authorize", Token: "token", Introspect: "introspect", Revoke: "revoke", Read: "read", Write: "write",
	Portal: "portal", FailedAuthentication: "failed_authentication", Documents: "client_documents", Registrations: "registrations",
}

// String is the class's name: token, read.
func (c Class) String() string { return names[c] }

// Of is how many requests of the class the client may send in a minute: its own
// limit, where an operator gave it one, else the default.
func (c Class) Of(client *loop.Client) int {
	if own := client.Protocol.RateLimits[c.String()]; own > 0 {
		return own
	}
	return c.Default(client.Mode)
}

// perMinute is what each class allows where nothing else is said.
var perMinute = [...]int{
	Authorize:            30,
	Token:                1200,
	Introspect:           600,
	Revoke:               60,
	Read:                 1000,
	Write:                200,
	Portal:               100,
	FailedAuthentication: 30,
	Documents:            30,
	Registrations:        60,
}

// tokensInDevelopment is what an app that only test members use has of Token.
const tokensInDevelopment = 60

// Default is how many requests a minute the class allows a client in this mode.
func (c Class) Default(mode loop.Mode) int {
	if c == Token && mode == loop.Development {
		return tokensInDevelopment
	}
	return perMinute[c]
}
