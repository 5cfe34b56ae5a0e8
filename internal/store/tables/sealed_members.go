package tables

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Versions before this one kept names and addresses in clear. While one of them may
// still serve, both forms are written; afterwards SealMembers takes the clear one away.
const (
	selectMemberForm     = `SELECT sealed_since, (SELECT count(*) FROM (SELECT 1 FROM members WHERE name <> '' AND id > '' ORDER BY id LIMIT 1) AS one) FROM member_form`
	selectMembersInClear = `SELECT ` + MemberColumns + ` FROM members WHERE name <> '' AND id > '' ORDER BY id LIMIT 100`
	sealMember           = `UPDATE members SET email = $1, name = '', address = $2, sealed = $3 WHERE id = $4 AND name = $5 AND email = $6`
)

// HoldsSealed reports whether anything is sealed under keys of members.
func (s Identity) HoldsSealed(ctx context.Context) (bool, error) {
	return holds(ctx, s.db, `SELECT count(*) FROM (SELECT 1 FROM members WHERE sealed IS NOT NULL LIMIT 1) AS one`)
}

// HoldsSealed reports whether anything is sealed under keys of members.
func (s Clinical) HoldsSealed(ctx context.Context) (bool, error) {
	return holds(ctx, s.db, `SELECT count(*) FROM (SELECT 1 FROM result_chunks LIMIT 1) AS one`)
}

func holds(ctx context.Context, db Reader, query string) (bool, error) {
	var rows int64
	if err := db.Row(ctx, query).Scan(&rows); err != nil {
		return false, fmt.Errorf("looking for what is sealed: %w", store.Unreadable(err))
	}
	return rows > 0, nil
}

// sealedMember is a member with their name and address sealed.
type sealedMember struct {
	*loop.Member
	content []byte
	born    []byte // nil: it is not known
	address [32]byte
}

// seal seals a member's name, address and birth date.
func (s Identity) seal(ctx context.Context, m *loop.Member) (*sealedMember, error) {
	key, err := s.keys.Make(ctx, m.ID, credential.ForPerson)
	if err != nil {
		return nil, noneOfErased(err)
	}
	content := append(binary.AppendUvarint(nil, uint64(len(m.Name))), m.Name...)
	sealed := &sealedMember{Member: m, content: key.Seal(s.world, personOf(m.ID), append(content, m.Email...)), address: s.keys.Address(m.Email)}
	if !m.BornOn.IsZero() {
		sealed.born = key.Seal(s.world, birthOf(m.ID), []byte(m.BirthDate()))
	}
	return sealed, nil
}

func birthOf(member loop.MemberID) string { return "birth date " + string(member) }

// openBirth opens a member's birth date, where it is known.
func openBirth(key *credential.DataKey, m *MemberRow) error {
	if m.born == nil {
		return nil
	}
	text, err := key.Open(birthOf(m.ID), m.born)
	if err == nil {
		m.BornOn, err = time.Parse(time.DateOnly, string(text))
	}
	if err != nil {
		return fmt.Errorf("the birth date of %s: %w", m.ID, err)
	}
	return nil
}

func personOf(member loop.MemberID) string { return "person " + string(member) }

// shown is what the columns of address and name hold.
func (m *sealedMember) shown(inClear bool) (email, name string) {
	if inClear {
		return string(m.Email), m.Name
	}
	return standIn(m.ID), ""
}

// standIn is in the place of an address: another one for each member, and no address.
func standIn(member loop.MemberID) string { return "sealed " + string(member) }

// OpenMember opens a member's name and address. Those of one who was erased are empty.
func (s Identity) OpenMember(ctx context.Context, m *MemberRow) (*loop.Member, error) {
	if m.sealed == nil && m.ErasedAt.IsZero() {
		return &m.Member, nil // in clear
	}
	if m.Name, m.Email = "", ""; m.sealed == nil {
		return &m.Member, nil
	}
	key, err := s.keys.Key(ctx, m.ID, credential.ForPerson)
	if errors.Is(err, credential.ErrErased) {
		m.Suspended = true // as they are once their erasure has been repeated here
		return &m.Member, nil
	}
	if errors.Is(err, loop.ErrNotFound) {
		return nil, fmt.Errorf("the data key of %s is not in the store of member keys: it is another platform's, or an older one", m.ID)
	}
	if err != nil {
		return nil, err
	}
	content, err := key.Open(personOf(m.ID), m.sealed)
	if err != nil {
		return nil, fmt.Errorf("the name and address of %s: %w", m.ID, err)
	}
	length, size := binary.Uvarint(content)
	if size <= 0 || length > uint64(len(content)-size) { //nolint:gosec // G115: size is at most the length
		return nil, fmt.Errorf("the name and address of %s are damaged", m.ID)
	}
	name := content[size:][:length]
	m.Name, m.Email = string(name), loop.Email(content[size+len(name):])
	return &m.Member, openBirth(key, m)
}

// memberForm is what a process knows of the form in which members are kept.
type memberForm struct {
	sealed atomic.Bool // all are sealed, and will be
}

// actAtMost is for how long an act that found the earlier form can go on: what it
// writes is taken away then.
const actAtMost = time.Minute

// read says whether members are written in clear as well, and whether some are.
func (f *memberForm) read(row Scanner, now time.Time) (inClear, some bool, err error) {
	var since, rows int64
	if err := row.Scan(&since, &rows); err != nil {
		return false, false, fmt.Errorf("reading the form of members: %w", store.Unreadable(err))
	}
	if since >= 0 && rows == 0 && now.Sub(time.UnixMicro(since)) > actAtMost {
		f.sealed.Store(true)
	}
	return since < 0, rows > 0, nil
}

// writesInClear reports whether an act writes names and addresses in clear as well.
func (s Identity) writesInClear(tx Act) (inClear bool, err error) {
	if s.form.sealed.Load() {
		return false, nil
	}
	err = tx.Each(func(row Scanner) (err error) {
		inClear, _, err = s.form.read(row, s.world.Now())
		return err
	}, selectMemberForm)
	return inClear, err
}

// MembersSealed reports whether all members are sealed, for good, as far as is known
// here.
func (s Identity) MembersSealed() bool { return s.form.sealed.Load() }

// SealMembers takes away the names and addresses that are in clear, until none is left
// or ctx ends; none while an older version may still need them. One process at a time
// is enough; two do no harm.
func (s Identity) SealMembers(ctx context.Context) error {
	for !s.form.sealed.Load() {
		inClear, some, err := s.form.read(s.db.Row(ctx, selectMemberForm), s.world.Now())
		if err != nil || inClear || !some {
			return err
		}
		rows, err := list(ctx, s.db, scanMember, selectMembersInClear)
		if err != nil {
			return err
		}
		for _, m := range rows {
			if err := s.sealOne(ctx, &m.Member); err != nil {
				return fmt.Errorf("sealing %s: %w", m.ID, err)
			}
		}
	}
	return nil
}

func (s Identity) sealOne(ctx context.Context, m *loop.Member) error {
	sealed, err := s.seal(ctx, m)
	if errors.Is(err, loop.ErrNotFound) { // erased, and in clear in a backup of before
		return s.db.Do(ctx, func(tx Act) error {
			tx.Exec(eraseMember, standIn(m.ID), store.Micro(s.world.Now()), m.ID)
			return nil
		})
	}
	if err != nil {
		return err
	}
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(sealMember, standIn(m.ID), sealed.address[:], sealed.content, m.ID, m.Name, m.Email)
		return nil
	})
}
