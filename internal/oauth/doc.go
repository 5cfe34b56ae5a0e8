// Package oauth is the authorization server's acts: to check an authorization
// request and say what it still needs, to take a member's consent, to issue and
// redeem a code, to rotate a refresh token, to judge an access token.
//
//	authorization request ──► checked ──► signed in ──► consented ──► code
//	        │                    │            │             │           │
//	        └─ page (untrusted)  └─ redirect with an error ─┘           ▼
//	                                                      redeemed: a chain begins
//	                                                                    │
//	                                               refreshed, again and again
//
// It knows neither HTTP nor SQL: it takes parameters and gives values, and what
// must hold together it hands to a Ledger as a decision (ledger.go). Start with
// authorize.go, then redeem.go and refresh.go.
package oauth
