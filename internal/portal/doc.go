// Package portal is the developers' host: apps are registered and changed here,
// and the documentation is read here.
//
// It signs developers in as any other app would, by OpenID Connect at identity
// (signin.go), and keeps who they are in a sealed cookie (session.go). What an
// app may be is decided in packages loop and registration; what the pages of the
// documentation say, in docs/. Start with host.go and its list of routes.
package portal
