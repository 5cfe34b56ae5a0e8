package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectRoots     = `SELECT sealed FROM roots ORDER BY number DESC`
	insertRoot      = `INSERT INTO roots (number, sealed) SELECT coalesce(max(number), 0) + 1, $1 FROM roots`
	deleteOldRoots  = `DELETE FROM roots WHERE number < (SELECT max(number) FROM roots)`
	selectMemberKey = `SELECT (SELECT wrapped FROM member_keys WHERE member_id = $1 AND purpose = $2),
		(SELECT count(*) FROM erased_members WHERE member_id = $1)`
	insertMemberKey = `INSERT INTO member_keys (member_id, purpose, wrapped) SELECT $1, $2, $3
		WHERE NOT EXISTS (SELECT 1 FROM erased_members WHERE member_id = $1) ON CONFLICT DO NOTHING`
	deleteMemberKeys    = `DELETE FROM member_keys WHERE member_id = $1`
	insertErasedMember  = `INSERT INTO erased_members (member_id, erased_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	selectErasedMembers = `SELECT member_id FROM erased_members ORDER BY erased_at, member_id`
)

// MemberKeys is what is the same on every engine of the store of data keys: the
// engine's own embeds it, and adds how a destroyed key leaves its files.
type MemberKeys struct {
	db   Database
	lock func(tx Tx, member loop.MemberID)
}

// NewMemberKeys makes it for a database with the schema of member keys. lock keeps
// acts on one member's keys apart until the transaction ends.
func NewMemberKeys(db Database, lock func(tx Tx, member loop.MemberID)) MemberKeys {
	return MemberKeys{db: db, lock: lock}
}

// Roots reads the sealings of the root secret, newest first.
func (s MemberKeys) Roots(ctx context.Context) ([][]byte, error) {
	return list(ctx, s.db, func(row Scanner) (sealed []byte, err error) {
		err = row.Scan(&sealed)
		return sealed, err
	}, selectRoots)
}

// AddRoot keeps a sealing of the root secret beside those that are there.
func (s MemberKeys) AddRoot(ctx context.Context, sealed []byte) error {
	return s.exec(ctx, insertRoot, sealed)
}

// KeepNewestRoot deletes all sealings of the root secret but the newest.
func (s MemberKeys) KeepNewestRoot(ctx context.Context) error { return s.exec(ctx, deleteOldRoots) }

func (s MemberKeys) exec(ctx context.Context, query string, args ...any) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(query, args...)
		return nil
	})
}

// MemberKey reads a wrapped key (credential.MemberKeyStore).
func (s MemberKeys) MemberKey(ctx context.Context, member loop.MemberID, use credential.DataUse) ([]byte, error) {
	return scanMemberKey(s.db.Row(ctx, selectMemberKey, member, use))
}

func scanMemberKey(row Scanner) (wrapped []byte, err error) {
	var erased int64
	err = row.Scan(&wrapped, &erased)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, loop.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("reading a data key: %w", store.Unreadable(err))
	case erased > 0:
		return nil, credential.ErrErased
	case wrapped == nil:
		return nil, loop.ErrNotFound
	}
	return wrapped, nil
}

// AddMemberKey keeps a wrapped key unless there is one (credential.MemberKeyStore).
func (s MemberKeys) AddMemberKey(ctx context.Context, member loop.MemberID, use credential.DataUse, wrapped []byte) (kept []byte, err error) {
	err = s.db.Do(ctx, func(tx Act) error {
		s.lock(tx, member)
		tx.Exec(insertMemberKey, member, use, wrapped)
		return tx.Each(func(row Scanner) (err error) {
			kept, err = scanMemberKey(row)
			return err
		}, selectMemberKey, member, use)
	})
	return kept, err
}

// EraseMember deletes a member's keys, and notes that they were erased.
func (s MemberKeys) EraseMember(ctx context.Context, member loop.MemberID, at time.Time) error {
	return s.db.Do(ctx, func(tx Act) error {
		s.lock(tx, member)
		tx.Exec(insertErasedMember, member, store.Micro(at))
		tx.Exec(deleteMemberKeys, member)
		return nil
	})
}

// ErasedMembers lists who was erased, in the order in which they were.
func (s MemberKeys) ErasedMembers(ctx context.Context) ([]loop.MemberID, error) {
	return list(ctx, s.db, func(row Scanner) (id loop.MemberID, err error) {
		err = row.Scan((*string)(&id))
		return id, err
	}, selectErasedMembers)
}
