package postgres

// OnStatement has f told of the text of every statement from now on.
func (d *Database) OnStatement(f func(text string)) { d.statements.told.Store(&f) }
