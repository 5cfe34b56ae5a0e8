// Package member is people's accounts: making one, its address, suspension, the
// notice that waits for its member. How a member signs in is in package signin,
// what they allow an app in package oauth.
package member
