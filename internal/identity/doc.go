// Package identity is the host of the authorization server: authorize, token,
// userinfo and discovery for apps; sign-in, sign-up and consent for members.
//
// Handlers decode, act and encode. The rules are in packages oauth and member;
// the pages' words are in pages/. Start with routes.go, then authorize.go.
package identity
