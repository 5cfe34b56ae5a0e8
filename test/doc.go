// Package test holds the platform to its promises from the outside: it builds
// the binary, starts it as a developer would, and drives it with a real browser,
// the quickstart's own app, and requests that no well-meaning app would send.
//
// Nothing here imports the product, so that a test can know only what a
// developer could know. It is a module of its own for the same reason that it
// needs: a browser's protocol is a burden that the product shall not carry.
//
// Other people's clients are in peers: a program of ours around each library.
// peers_test.go starts them. Those in the smallest app of each library are in
// test/clients, with what came of it.
//
// What the OpenID Foundation's conformance suite looks at is in test/conformance.
//
// What a machine lacks is named by the test that is left out for it; with
// CI=true (scripts/test says LOOP_TEST_STRICT) it is a failure.
package test
