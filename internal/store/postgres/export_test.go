package postgres

// OnStatement calls f with the text of every statement from now on.
func (d *Database) OnStatement(f func(text string)) { d.statements.seen.Store(&f) }
