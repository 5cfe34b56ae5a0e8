// Package portal is the developers' host: apps are registered and changed here.
// The documentation, on the same host, is package docsite.
//
// It signs developers in as any other app would, by OpenID Connect at identity
// (signin.go), and keeps who they are in a sealed cookie (session.go). What an
// app may be is decided in packages loop and registration. Start with host.go and
// its list of routes.
package portal
