// Package postgres keeps the platform's state in PostgreSQL, for any number of
// processes at once: one engine (database.go, writer.go, tx.go, settle.go,
// migrate.go, audit.go), what all roles read (commons.go), what makes a process one of many (presence.go), and on
// them what identity and clinical keep, one file per type.
//
// A pool reads. A bounded set of connections writes, each with a lane of the audit
// chain of its own. A transaction gathers its statements and sends them together,
// so that an act costs a round trip for what it must read and one for all that it
// writes, the commit included.
//
// The rules of what is written are in the rooms that declare the interfaces.
package postgres
