package tables

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
)

const linkColumns = `hash, purpose, member_id, content, browser, created_at, expires_at, used_at`

const (
	insertLink  = `INSERT INTO mail_links (` + linkColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`
	selectLink  = `SELECT ` + linkColumns + ` FROM mail_links WHERE hash = $1`
	updateLink  = `UPDATE mail_links SET used_at = $1, content = $2 WHERE hash = $3 AND used_at = 0`
	deleteLinks = `DELETE FROM mail_links WHERE member_id = $1 AND purpose = $2 AND used_at = 0`
)

// AddLink inserts a link with the messages that bring it and its record (member.Store).
func (s Identity) AddLink(ctx context.Context, link *member.Link, messages []outbox.Message, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(insertLink, link.Hash[:], string(link.Purpose), link.Member, link.Content, link.Browser[:], store.Micro(link.CreatedAt), store.Micro(link.ExpiresAt))
		AddMessages(tx, messages)
		return tx.Record(rec)
	})
}

// useLink has a link be used, where there is one, which it can be once. What it
// brought about is not kept.
func useLink(tx Tx, use *member.LinkUse) {
	if use != nil {
		tx.One(member.ErrLinkUsed, updateLink, store.Micro(use.At), []byte{}, use.Hash[:])
	}
}

// Link reads a link; loop.ErrNotFound where there is none.
func (s Identity) Link(ctx context.Context, hash [32]byte) (*member.Link, error) {
	var (
		l                   member.Link
		stored, fromBrowser []byte
	)
	err := s.db.Row(ctx, selectLink, hash[:]).Scan(&stored, text(&l.Purpose), text(&l.Member), &l.Content, &fromBrowser,
		moment(&l.CreatedAt), moment(&l.ExpiresAt), moment(&l.UsedAt))
	if err != nil {
		return nil, store.Found(err)
	}
	if len(fromBrowser) != len(l.Browser) {
		return nil, fmt.Errorf("a stored link has a hash of a browser of %d bytes, not %d", len(fromBrowser), len(l.Browser))
	}
	l.Hash, l.Browser = hash, [32]byte(fromBrowser)
	return &l, nil
}
