// Package identity is the host of the authorization server: authorize, token,
// userinfo and discovery for apps; consent for members. The pages on which members
// sign in are in package account, on the same host.
//
// Handlers decode, act and encode. The rules are in package oauth; the pages'
// words are in pages/. Start with routes.go, then authorize.go.
package identity
