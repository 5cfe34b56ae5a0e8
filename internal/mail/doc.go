// Package mail writes to people: an act puts a Letter into its change as a message
// of the outbox, and a Deliverer renders it in its reader's language when it sends it.
//
//	act ──Compose──▶ outbox row, sealed ──Deliver──▶ Mail, rendered ──Sender──▶ SMTP server
//
// A letter is sealed under the key ring while it waits: it can hold an address and
// a link that opens an account. A mail has text and HTML, and asks for nothing from
// anywhere: no picture, no style sheet, nothing that says that it was read.
//
// Start with letter.go, then deliverer.go.
package mail
