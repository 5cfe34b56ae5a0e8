// Package possession proves that whoever sends a request holds the key that its
// tokens are bound to, so that a stolen token is of no use (RFC 7800): by a DPoP
// proof, which is signed for each request (RFC 9449), or by the client
// certificate of the connection (RFC 8705 §3).
//
//	request ──► Evidence ──► Bind  (token request: what its tokens are bound to)
//	                    └──► Held  (resource: is it what the token is bound to?)
//
// It judges evidence; what a token may open is not its business. Start with
// binding.go, then proof.go.
package possession
