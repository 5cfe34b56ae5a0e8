// Package tables keeps what is the same on every engine: per table its columns, how
// a record becomes a row and comes back, and the statements on it, each written
// once. An engine gives a transaction (Tx, Act) and reads (Reader); what it can do
// better or must do otherwise, it has statements of its own for: what a decision
// rests on, sessions that end, leases, revocations and their numbers.
//
// Statements number their parameters ($1), which both engines understand. Nothing
// rewrites a statement at run time. Read engine.go next.
package tables
