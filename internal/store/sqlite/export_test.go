package sqlite

// StatementTexts is what was prepared for reading and for writing, so far.
func (d *Database) StatementTexts() []string {
	var texts []string
	for _, prepared := range []*statements{&d.reading, &d.writer.tx.statements} {
		prepared.mu.RLock()
		for text := range prepared.byText {
			texts = append(texts, text)
		}
		prepared.mu.RUnlock()
	}
	return texts
}
