// Package outbox delivers messages to the outside: an act of a rule puts them in
// its change, the store writes them in the act's transaction, and a Worker sends
// them afterwards, again and again until they arrive or are given up.
//
//	waiting ──claim──▶ claimed ──delivered──▶ settled
//	   ▲                  │ ├────obsolete──▶ settled
//	   └──later, failed───┘ └────given up──▶ settled
//
// A claim ends by itself, so that a process that dies holds nothing up: a message
// is delivered at least once. Messages with the same order key follow each other.
// What a message says, and how it is sent, is its Deliverer's: one for each kind.
//
// Start with message.go, then worker.go.
package outbox
