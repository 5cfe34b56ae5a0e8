package tables

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	insertImported  = `INSERT INTO imported (member_id, identity, number, content, result_id, retracted) VALUES ($1, $2, $3, $4, $5, $6)`
	retractImported = `UPDATE imported SET retracted = 1 WHERE member_id = $1 AND identity = $2 AND number = $3`
	insertAside     = `INSERT INTO asides (member_id, identity, sealed, added_at) VALUES ($1, $2, $3, $4)`
	deleteAside     = `DELETE FROM asides WHERE member_id = $1 AND identity = $2`
	selectAsides    = `SELECT member_id, identity, sealed FROM asides WHERE (member_id, identity) > ($1, $2) ORDER BY member_id, identity LIMIT $3`
	selectCodeNames = `SELECT system, code, biomarker FROM code_names`
	keepCodeName    = `INSERT INTO code_names (system, code, biomarker) VALUES ($1, $2, $3)
		ON CONFLICT (system, code) DO UPDATE SET biomarker = excluded.biomarker`
)

// atOnce is how many identities are looked up by a statement.
const atOnce = 32

var (
	selectImported = `SELECT identity, number, content, result_id, retracted FROM imported WHERE member_id = $1 AND identity IN (` + parameters(2, atOnce) + `) ORDER BY number`
	selectThere    = `SELECT identity FROM asides WHERE member_id = $1 AND identity IN (` + parameters(2, atOnce) + `)`
)

// parameters lists so many, numbered from a number on.
func parameters(from, count int) string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(names, ", ")
}

// Import carries out what is decided about a member's imported results
// (intake.Archive).
func (s Clinical) Import(ctx context.Context, member loop.MemberID, decide func(intake.Existing) (intake.Change, error)) error {
	key, err := s.keys.Make(ctx, member, credential.ForResults)
	if err != nil {
		return noneOfErased(err)
	}
	return s.db.Do(ctx, func(tx Act) error {
		s.lock(tx, member)
		if plain, err := s.isPlain(tx); err != nil || plain {
			return cmp.Or(err, errPlain)
		}
		change, err := decide(imported{tx, key, member})
		if err != nil || change.Empty() {
			return err
		}
		if len(change.Add) > 0 {
			if err := s.addResults(tx, key, member, change.Add); err != nil {
				return err
			}
		}
		if err := s.keepImported(tx, key, member, &change); err != nil {
			return err
		}
		AddMessages(tx, change.Messages)
		return tx.Record(change.Record)
	})
}

// errPlain: a plain row has no place for all that a file says.
var errPlain error = loop.Errorf(loop.TemporarilyUnavailable, "A server of an earlier version still works on the lab results. Import once it has stopped.")

func (s Clinical) keepImported(tx Act, key *credential.DataKey, member loop.MemberID, change *intake.Change) error {
	now := s.world.Now()
	for i := range change.Versions {
		v := &change.Versions[i]
		tx.Exec(insertImported, member, v.Identity[:], v.Number, v.Content[:], v.Result, one(v.Retracted))
	}
	for i := range change.Retract {
		v := &change.Retract[i]
		tx.Exec(retractImported, member, v.Identity[:], v.Number)
		if err := s.retract(tx, key, member, v.Result, now); err != nil {
			return fmt.Errorf("superseding a result: %w", err)
		}
	}
	for i := range change.Aside {
		a := &change.Aside[i]
		encoded, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("writing what is kept aside: %w", err)
		}
		tx.Exec(insertAside, member, a.Identity[:], key.Seal(s.world, asideOf(member, a.Identity), encoded), store.Micro(now))
	}
	for i := range change.Settled {
		tx.Exec(deleteAside, member, change.Settled[i][:])
	}
	return nil
}

func asideOf(member loop.MemberID, identity intake.Hash) string {
	return fmt.Sprintf("aside %s %x", member, identity)
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// imported is intake.Existing.
type imported struct {
	tx     Act
	key    *credential.DataKey
	member loop.MemberID
}

// Hash hashes data under the member's key.
func (e imported) Hash(data []byte) intake.Hash { return e.key.Hash(data) }

// Versions gives what was imported under the identities.
func (e imported) Versions(identities []intake.Hash) (map[intake.Hash][]intake.Version, error) {
	found := make(map[intake.Hash][]intake.Version)
	err := e.lookUp(identities, selectImported, func(row Scanner) error {
		var identity, content []byte
		var v intake.Version
		var retracted int64
		if err := row.Scan(&identity, &v.Number, &content, (*string)(&v.Result), &retracted); err != nil {
			return err
		}
		copy(v.Identity[:], identity)
		copy(v.Content[:], content)
		v.Retracted = retracted != 0
		found[v.Identity] = append(found[v.Identity], v)
		return nil
	})
	return found, err
}

// Asides gives which of the identities are aside.
func (e imported) Asides(identities []intake.Hash) (map[intake.Hash]bool, error) {
	found := make(map[intake.Hash]bool)
	err := e.lookUp(identities, selectThere, func(row Scanner) error {
		var identity []byte
		if err := row.Scan(&identity); err != nil {
			return err
		}
		found[intake.Hash(identity)] = true
		return nil
	})
	return found, err
}

// lookUp asks for some identities at a time. Two that are the same are asked for once:
// each of their rows would come as often.
func (e imported) lookUp(identities []intake.Hash, query string, scan func(Scanner) error) error {
	identities = slices.Clone(identities)
	slices.SortFunc(identities, func(a, b intake.Hash) int { return slices.Compare(a[:], b[:]) })
	for some := range slices.Chunk(slices.Compact(identities), atOnce) {
		args := make([]any, 1+atOnce)
		args[0] = e.member
		for i := range atOnce {
			args[1+i] = some[min(i, len(some)-1)][:]
		}
		if err := e.tx.Each(scan, query, args...); err != nil {
			return fmt.Errorf("looking up what was imported: %w", err)
		}
	}
	return nil
}

// CodeNames gives what senders' codes were mapped to (intake.Archive).
func (s Clinical) CodeNames(ctx context.Context) (map[biomarker.Name]biomarker.Code, error) {
	names := make(map[biomarker.Name]biomarker.Code)
	err := s.db.Rows(ctx, func(row Scanner) error {
		var name biomarker.Name
		var code string
		err := row.Scan(&name.System, &name.Code, &code)
		names[name] = biomarker.Code(code)
		return err
	}, selectCodeNames)
	return names, err
}

// NameCode says what a sender's code means (intake.Asides).
func (s Clinical) NameCode(ctx context.Context, name biomarker.Name, code biomarker.Code, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(keepCodeName, name.System, name.Code, code)
		return tx.Record(rec)
	})
}

// asidesAtOnce is how many results that wait are read at once.
const asidesAtOnce = 200

// ListAsides gives some of what is aside (intake.Asides).
func (s Clinical) ListAsides(ctx context.Context, after intake.AsidePlace) ([]intake.AsideOf, error) {
	var found []intake.AsideOf
	var sealed [][]byte
	err := s.db.Rows(ctx, func(row Scanner) error {
		var a intake.AsideOf
		var identity, encoded []byte
		err := row.Scan((*string)(&a.Member), &identity, &encoded)
		copy(a.Identity[:], identity)
		found, sealed = append(found, a), append(sealed, bytes.Clone(encoded))
		return err
	}, selectAsides, after.Member, after.Identity[:], asidesAtOnce)
	for i := range found {
		if err == nil {
			err = s.openAside(ctx, &found[i], sealed[i])
		}
	}
	return found, err
}

// openAside reads what is aside. Of an erased member there is nothing to read: it has no
// name.
func (s Clinical) openAside(ctx context.Context, a *intake.AsideOf, sealed []byte) error {
	key, err := s.keys.Key(ctx, a.Member, credential.ForResults)
	if err != nil {
		return erasedIsNothing(err)
	}
	encoded, err := key.Open(asideOf(a.Member, a.Identity), sealed)
	if err != nil {
		return fmt.Errorf("opening what was kept aside for %s: %w", a.Member, err)
	}
	identity := a.Identity
	if err := json.Unmarshal(encoded, &a.AsideResult); err != nil {
		return fmt.Errorf("reading what was kept aside for %s: %w", a.Member, err)
	}
	a.Identity = identity
	return nil
}

func erasedIsNothing(err error) error {
	if errors.Is(err, credential.ErrErased) {
		return nil
	}
	return err
}
