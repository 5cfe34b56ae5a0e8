package loop

import (
	"slices"
	"strings"
	"time"
)

// Authentication is how and when a member proved who they are.
type Authentication struct {
	At      time.Time
	Methods Methods
	// Asked is the class that an app asked for and the methods meet; empty: none.
	Asked Context
}

// Context is the class to report to an app: the one that it asked for, else the
// strongest.
func (a Authentication) Context() Context {
	if a.Asked != "" {
		return a.Asked
	}
	return a.Methods.Context()
}

// Methods is a set of ways in which a member proved who they are.
type Methods uint8

// The ways to sign in.
const (
	ByPassword    Methods = 1 << iota
	ByOneTimeCode         // of an authenticator app, or a recovery code
	ByHardwareKey         // a passkey that can't leave its device
	BySoftwareKey         // a passkey that its maker keeps on several devices
)

// byPasskey are the two kinds of passkey. The platform takes one only with the
// verification of its user, so that it is two factors by itself.
const byPasskey = ByHardwareKey | BySoftwareKey

// amrOfMethods are their names (RFC 8176 §2), in the order of the constants.
var amrOfMethods = []string{"pwd", "otp", "hwk", "swk"}

// AMR names the methods as the claim amr does (RFC 8176 §2), with what follows from
// them: mfa where they are more than one factor, user where a key asked for its user.
func (m Methods) AMR() []string {
	var names []string
	for i, name := range amrOfMethods {
		if m&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if m&byPasskey != 0 {
		names = append(names, "user")
	}
	if m.Context() != ContextPassword {
		names = append(names, "mfa")
	}
	return names
}

// String writes the methods as ReadMethods reads them.
func (m Methods) String() string { return strings.Join(m.AMR(), " ") }

// ReadMethods reads what String wrote. Names that it doesn't know add nothing.
func ReadMethods(text string) (m Methods) {
	for _, name := range strings.Fields(text) {
		if i := slices.Index(amrOfMethods, name); i >= 0 {
			m |= 1 << i
		}
	}
	return m
}

// Context is a class of sign-ins, as the claim acr names it (OpenID Connect Core
// §2).
type Context string

// The classes, each stronger than the one before.
const (
	ContextPassword Context = "urn:loop:acr:password" //nolint:gosec // G101: a name
	ContextMFA      Context = "urn:loop:acr:mfa"
	ContextPasskey  Context = "urn:loop:acr:passkey" //nolint:gosec // G101: a name, which no other site can be given by mistake
)

// Contexts are all classes, the weakest first.
var Contexts = []Context{ContextPassword, ContextMFA, ContextPasskey}

// Meet reports whether the methods are of a class, or of a stronger one.
func (m Methods) Meet(context Context) bool {
	wanted := slices.Index(Contexts, context)
	return wanted >= 0 && wanted <= slices.Index(Contexts, m.Context())
}

// Context is the strongest class that the methods belong to.
func (m Methods) Context() Context {
	switch {
	case m&byPasskey != 0:
		return ContextPasskey
	case m&ByPassword != 0 && m&ByOneTimeCode != 0:
		return ContextMFA
	default:
		return ContextPassword
	}
}
