package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/oauth"
)

// OnStatement calls f with the text of every statement from now on.
func (d *Database) OnStatement(f func(text string)) { d.statements.seen.Store(&f) }

// BeginChunks has results added in chunks, as MoveResults does first.
func (s *ClinicalStore) BeginChunks(ctx context.Context) error { return s.beginChunks(ctx) }

// BeginSealed has names and addresses written sealed alone, as SealMembers does first.
func (s *IdentityStore) BeginSealed(ctx context.Context) error { return s.beginSealed(ctx) }

// Config is what the database was opened with.
func (d *Database) Config() Config { return d.config }

// Decision is one of those that DecideTogether takes.
type Decision struct {
	Subject oauth.Subject
	Decide  func(oauth.State) (oauth.Change, error)
}

// DecideTogether has decisions wait until all do, and then carries them out together.
// Each of them is answered by a channel of its own.
func (s *IdentityStore) DecideTogether(ctx context.Context, all ...Decision) []chan error {
	answers := make([]chan error, len(all))
	errands := make([]*errand[*decision], len(all))
	s.decisions.mu.Lock()
	for i, one := range all {
		answers[i] = make(chan error, 1)
		errands[i] = &errand[*decision]{ctx: ctx, apart: string(one.Subject.Member), of: &decision{subject: one.Subject, decide: one.Decide}, done: make(chan error, 1)}
		s.decisions.waiting = append(s.decisions.waiting, errands[i])
		s.db.waiting.Add(1)
	}
	s.decisions.begin()
	s.decisions.mu.Unlock()
	for i, e := range errands {
		go func() { answers[i] <- s.answer(ctx, e.of, s.decisions.wait(e)) }()
	}
	return answers
}
