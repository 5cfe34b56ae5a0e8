// Package member is people's accounts: signing up, signing in and out, the
// session that a sign-in begins, and suspension. What a member allows an app is
// in package oauth.
package member
