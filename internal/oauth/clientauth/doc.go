// Package clientauth proves which client sent a request to an endpoint for apps:
// the token endpoint, pushed requests, introspection, revocation (RFC 6749
// §3.2.1). A way to authenticate is a value in one list: a secret by HTTP Basic
// or in the form, a signed assertion, a client certificate, or nothing, as public
// clients do.
//
// Start with authenticator.go.
package clientauth
