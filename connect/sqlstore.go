package connect

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Dialect is how a database writes the parameters of its statements.
type Dialect int

// The dialects.
const (
	PostgreSQL Dialect = iota // $1, $2
	SQLite                    // ?, ?
)

// SQLStore keeps tokens in a database, sealed under a key ring: whoever has the
// database alone has none of them. All processes of an app share it. The database's
// driver is the app's choice. Printed it shows no key.
type SQLStore struct {
	db      *sql.DB
	dialect Dialect
	sealer  sealer
	// abandoned is how long a lock stands still before it is taken from whoever died.
	abandoned time.Duration
}

// NewSQLStore keeps tokens in the table connect_tokens of a database, which it makes
// where it is missing.
func NewSQLStore(ctx context.Context, db *sql.DB, dialect Dialect, keys *KeyRing) (*SQLStore, error) {
	s := &SQLStore{db: db, dialect: dialect, sealer: sealer{keys, "tokens in SQL"}, abandoned: abandonedAfter}
	_, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS connect_tokens (
		member text PRIMARY KEY, version bigint NOT NULL, sealed `+[]string{"bytea", "blob"}[dialect]+` NOT NULL, lock text NOT NULL)`)
	if err != nil {
		return nil, fmt.Errorf("making the table of tokens: %w", err)
	}
	return s, nil
}

// Format shows no key, whatever the verb.
func (s *SQLStore) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "SQLStore") }

// query writes the parameters as the database wants them.
func (s *SQLStore) query(text string) string {
	if s.dialect == PostgreSQL {
		return text
	}
	for n := 9; n > 0; n-- {
		text = strings.ReplaceAll(text, fmt.Sprint("$", n), fmt.Sprint("?", n))
	}
	return text
}

// sealedTokens are Tokens before they are sealed.
type sealedTokens struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh"`
	Expiry  time.Time `json:"expiry"`
	Scopes  []string  `json:"scopes"`
}

func (s sealer) sealTokens(t Tokens, member string) ([]byte, error) {
	plaintext, err := json.Marshal(sealedTokens{string(t.Access), string(t.Refresh), t.Expiry, t.Scopes})
	if err != nil {
		return nil, err
	}
	return s.seal(plaintext, member), nil
}

func (s sealer) openTokens(sealed []byte, member string) (t Tokens, newest bool, err error) {
	plaintext, newest, err := s.open(sealed, member)
	if err != nil {
		return t, false, fmt.Errorf("opening the tokens of %s: %w", member, err)
	}
	var held sealedTokens
	if err := json.Unmarshal(plaintext, &held); err != nil {
		return t, false, fmt.Errorf("opening the tokens of %s: %w", member, err)
	}
	return Tokens{Secret(held.Access), Secret(held.Refresh), held.Expiry, held.Scopes}, newest, nil
}

// Load gives what is kept for a member.
func (s *SQLStore) Load(ctx context.Context, member string) (stored Stored, err error) {
	var sealed []byte
	err = s.db.QueryRowContext(ctx, s.query(`SELECT version, sealed FROM connect_tokens WHERE member = $1 AND version > 0`), member).Scan(&stored.Version, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return stored, ErrNoTokens
	}
	if err != nil {
		return stored, fmt.Errorf("reading a member's tokens: %w", err)
	}
	stored.Tokens, _, err = s.sealer.openTokens(sealed, member)
	return stored, err
}

// Save keeps tokens.
func (s *SQLStore) Save(ctx context.Context, member string, version int64, tokens Tokens) error {
	sealed, err := s.sealer.sealTokens(tokens, member)
	if err != nil {
		return err
	}
	next := nextVersion(max(version, 0))
	statement := `UPDATE connect_tokens SET version = $2, sealed = $3 WHERE member = $1 AND version = $4`
	args := []any{member, next, sealed, version}
	switch {
	case version == 0: // a row may be there already, for its lock
		statement = `INSERT INTO connect_tokens (member, version, sealed, lock) VALUES ($1, $2, $3, '')
			ON CONFLICT (member) DO UPDATE SET version = excluded.version, sealed = excluded.sealed WHERE connect_tokens.version = 0`
		args = args[:3]
	case version < 0:
		statement = `INSERT INTO connect_tokens (member, version, sealed, lock) VALUES ($1, $2, $3, '')
			ON CONFLICT (member) DO UPDATE SET sealed = excluded.sealed,
			version = CASE WHEN connect_tokens.version < excluded.version THEN excluded.version ELSE connect_tokens.version + 1 END`
		args = args[:3]
	}
	result, err := s.db.ExecContext(ctx, s.query(statement), args...)
	if err != nil {
		return fmt.Errorf("writing a member's tokens: %w", err)
	}
	if rows, err := result.RowsAffected(); err != nil || rows != 1 {
		return errors.Join(ErrChanged, err)
	}
	return nil
}

// Delete forgets a member.
func (s *SQLStore) Delete(ctx context.Context, member string) error {
	if _, err := s.db.ExecContext(ctx, s.query(`DELETE FROM connect_tokens WHERE member = $1`), member); err != nil {
		return fmt.Errorf("forgetting a member: %w", err)
	}
	return nil
}

// How often a lock that somebody holds is looked at, and how long it stands still
// before it is taken from them: they have died. No clock is compared with another's.
const (
	lookAgain      = 20 * time.Millisecond
	abandonedAfter = 2 * refreshTimeout
)

// Lock takes the member's lock.
func (s *SQLStore) Lock(ctx context.Context, member string) (unlock func(), err error) {
	mine, theirs := randomText(), ""
	if _, err := s.db.ExecContext(ctx, s.query(`INSERT INTO connect_tokens (member, version, sealed, lock) VALUES ($1, 0, $2, '') ON CONFLICT (member) DO NOTHING`), member, []byte{}); err != nil {
		return nil, fmt.Errorf("taking a member's lock: %w", err)
	}
	for since := time.Now(); ; {
		taken := ""
		if theirs != "" && time.Since(since) > s.abandoned {
			taken = theirs
		}
		result, err := s.db.ExecContext(ctx, s.query(`UPDATE connect_tokens SET lock = $2 WHERE member = $1 AND lock = $3`), member, mine, taken)
		if err != nil {
			return nil, fmt.Errorf("taking a member's lock: %w", err)
		}
		if rows, err := result.RowsAffected(); err != nil || rows == 1 {
			return func() { s.unlock(ctx, member, mine) }, err
		}
		var holder string
		err = s.db.QueryRowContext(ctx, s.query(`SELECT lock FROM connect_tokens WHERE member = $1`), member).Scan(&holder)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("taking a member's lock: %w", err)
		}
		if holder != theirs {
			theirs, since = holder, time.Now()
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return nil, err
		}
	}
}

// unlock gives a lock back. Where that fails it comes free by itself, later.
func (s *SQLStore) unlock(ctx context.Context, member, mine string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	_, _ = s.db.ExecContext(ctx, s.query(`UPDATE connect_tokens SET lock = '' WHERE member = $1 AND lock = $2`), member, mine) // see above
}

// Reseal seals everything under the ring's first key, and says how many members that
// were: afterwards the other keys are needed no more.
func (s *SQLStore) Reseal(ctx context.Context) (members int, err error) {
	for after := ""; ; {
		var member string
		err := s.db.QueryRowContext(ctx, s.query(`SELECT member FROM connect_tokens WHERE member > $1 AND version > 0 ORDER BY member LIMIT 1`), after).Scan(&member)
		if errors.Is(err, sql.ErrNoRows) {
			return members, nil
		}
		if err != nil {
			return members, fmt.Errorf("sealing tokens anew: %w", err)
		}
		resealed, err := s.reseal(ctx, member)
		if err != nil {
			return members, fmt.Errorf("sealing tokens anew: %w", err)
		}
		if resealed {
			members++
		}
		after = member
	}
}

// reseal seals one member's tokens anew, where another key has sealed them. Where they
// change at that moment the new ones are sealed with the first key already.
func (s *SQLStore) reseal(ctx context.Context, member string) (bool, error) {
	var version int64
	var sealed []byte
	err := s.db.QueryRowContext(ctx, s.query(`SELECT version, sealed FROM connect_tokens WHERE member = $1`), member).Scan(&version, &sealed)
	if err != nil {
		return false, err
	}
	tokens, newest, err := s.sealer.openTokens(sealed, member)
	if err != nil || newest {
		return false, err
	}
	err = s.Save(ctx, member, version, tokens)
	if errors.Is(err, ErrChanged) {
		return false, nil
	}
	return err == nil, err
}
