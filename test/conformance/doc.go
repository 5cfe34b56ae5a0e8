// Package conformance holds the built platform to what the OpenID Foundation's
// conformance suite looks at: one subtest for each of its modules, under the
// module's name, described in our own words.
//
// `loop serve` runs with a folder, a certificate and names of its own; apps are
// registered with the command line, as verified and in production; members sign
// in through pages read as HTML. An app's redirect URI leads to a receiver that
// says what reached it. The one thing that differs from the suite is on purpose:
// every authorization request carries PKCE with S256.
//
// Begin with server_test.go, then basic_test.go.
package conformance
