package postgres

import "context"

// OnStatement calls f with the text of every statement from now on.
func (d *Database) OnStatement(f func(text string)) { d.statements.seen.Store(&f) }

// BeginChunks has results added in chunks, as MoveResults does first.
func (s *ClinicalStore) BeginChunks(ctx context.Context) error { return s.beginChunks(ctx) }

// BeginSealed has names and addresses written sealed alone, as SealMembers does first.
func (s *IdentityStore) BeginSealed(ctx context.Context) error { return s.beginSealed(ctx) }

// Config is what the database was opened with.
func (d *Database) Config() Config { return d.config }
