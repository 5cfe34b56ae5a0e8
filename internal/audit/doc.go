// Package audit is the chained record of everything that happened: what a record
// says, how each links to the one before, the signed checkpoints that are kept
// outside the database, and how all of it is verified.
//
// Each database has a lane of its own, written by its one writer. A record's
// hash covers all of it, its number and the hash before it, under a key; a
// checkpoint says how far every lane had come, under a signature. So a change,
// a deletion, a reordering or a chain made anew without the keys shows. What
// cannot show is the loss of records newer than the newest checkpoint that the
// verifier brings.
//
// The tables are in package sqlite.
package audit
