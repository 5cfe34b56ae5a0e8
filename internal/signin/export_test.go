package signin

// Size is how many keys are kept.
func (m *Memory) Size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.counts)
}
