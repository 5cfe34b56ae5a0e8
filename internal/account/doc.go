// Package account is the member's own pages on identity's host: sign-in, sign-up,
// what a member has to know, the choice of an account, sign-out, home. Apps and
// what they ask for are in package identity.
//
// Each page is a handler, a page in pages/ and a test, side by side under one
// name. A step that an app's request waits for ends with a redirect to what
// decides the next one (package visitor); no page leads to another by itself.
// Start with host.go, then signin.go.
package account
