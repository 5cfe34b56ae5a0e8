package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Whole is a store with what is asked of it beside the rules: by operators, the
// portal and the sweep.
type Whole interface {
	Store
	Sweep(ctx context.Context, now time.Time) error
	Backlog(ctx context.Context, now time.Time) (map[string]int64, error)
	Waiting(ctx context.Context) (map[outbox.Kind]outbox.Waiting, error)
	Members(ctx context.Context) ([]*loop.Member, error)
	Clients(ctx context.Context) ([]*loop.Client, error)
	ClientsOf(ctx context.Context, owner loop.MemberID) ([]*loop.Client, error)
	Grants(ctx context.Context, member loop.MemberID) ([]*loop.Grant, error)
	EndPortalSession(ctx context.Context, hash [32]byte, expiresAt time.Time) error
	PortalSessionEnded(ctx context.Context, session, signIn [32]byte) (bool, error)
	BeginVisit(ctx context.Context, member loop.MemberID, at time.Time) (time.Time, error)
}

// UseRest runs what the contract does not, so that every statement of a store was
// run. What it asks for need not be there.
func UseRest(ctx context.Context, t *testing.T, s Whole) {
	t.Helper()
	for what, use := range map[string]func() error{
		"sweep":        func() error { return s.Sweep(ctx, time.Now()) },
		"backlog":      func() error { _, err := s.Backlog(ctx, time.Now()); return err },
		"members":      func() error { _, err := s.Members(ctx); return err },
		"clients":      func() error { _, err := s.Clients(ctx); return err },
		"an owner's":   func() error { _, err := s.ClientsOf(ctx, "user_1"); return err },
		"everybody's":  func() error { _, err := s.Grants(ctx, ""); return err },
		"grants":       func() error { _, err := s.Grants(ctx, "user_1"); return err },
		"waiting":      func() error { _, err := s.Waiting(ctx); return err },
		"portal":       func() error { return s.EndPortalSession(ctx, [32]byte{1}, time.Now()) },
		"portal's end": func() error { _, err := s.PortalSessionEnded(ctx, [32]byte{1}, [32]byte{2}); return err },
		"a visit":      func() error { _, err := s.BeginVisit(ctx, "user_1", time.Now()); return err },
		"end":          func() error { return s.EndSession(ctx, [32]byte{1}, silent, audit.Record{}) },
		"a member":     func() error { _, err := s.Member(ctx, "user_1"); return err },
		"an account":   func() error { _, _, err := s.Account(ctx, "a@members.example"); return err },
		"a session":    func() error { _, err := s.Session(ctx, [32]byte{1}); return err },
	} {
		if err := use(); err != nil && !errors.Is(err, loop.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
