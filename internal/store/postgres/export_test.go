package postgres

import "context"

// OnStatement calls f with the text of every statement from now on.
func (d *Database) OnStatement(f func(text string)) { d.statements.seen.Store(&f) }

// BeginChunks has results added in chunks, as MoveResults does first.
func (s *ClinicalStore) BeginChunks(ctx context.Context) error { return s.beginChunks(ctx) }
