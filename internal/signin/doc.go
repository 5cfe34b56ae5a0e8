// Package signin is how a member proves who they are, and the session that
// follows: passwords, the waits after wrong ones, known browsers, sessions. The
// accounts themselves are in package member, the pages in package account.
//
//	browser ── address and password ──▶ Throttle: may this be tried now?
//	                                      │ yes              │ no: RateLimited
//	                                      ▼
//	                                    password right? ── no ──▶ counted
//	                                      │ yes
//	                                      ▼
//	                                    session ── idle, too old, signed out, suspended ──▶ ended
//
// Start with authenticator.go.
package signin
