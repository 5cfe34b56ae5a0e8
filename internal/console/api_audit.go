package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// Bounds of a search of the audit record.
const (
	auditPage      = 100
	auditPageMost  = 500
	auditOffset    = 10_000 // records are read up to there: who wants older ones says until
	auditTextBytes = 100    // of an id or the name of an event
)

// auditRow is a record for a service.
type auditRow struct {
	At        *time.Time      `json:"at"`
	Event     audit.Event     `json:"event_type"`
	ActorType audit.ActorKind `json:"actor_type"`
	Actor     string          `json:"actor_id"`
	Member    loop.MemberID   `json:"user_id,omitempty"`
	Client    loop.ClientID   `json:"client_id,omitempty"`
	Grant     loop.GrantID    `json:"grant_id,omitempty"`
	Detail    audit.Detail    `json:"detail,omitempty"`
	Request   loop.RequestID  `json:"request_id,omitempty"`
	Address   string          `json:"ip,omitempty"`
}

func auditRowOf(entry admin.Entry) auditRow {
	rec := entry.Record
	return auditRow{
		instant(rec.At), rec.Event, rec.Actor.Kind, rec.Actor.ID, rec.Member, rec.Client, rec.Grant, rec.Detail, rec.Origin.Request, rec.Origin.Address,
	}
}

// searchAudit answers GET /v1/admin/audit-log, newest first.
func (h *Host) searchAudit(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	query, err := parameters(r, "actor_id", "event_type", "entity_type", "entity_id", "since", "until", "limit", "offset")
	if err != nil {
		return err
	}
	filter, err := auditFilter(query)
	if err != nil {
		return err
	}
	limit, err := number(query, "limit", auditPage, 1, auditPageMost)
	if err != nil {
		return err
	}
	offset, err := number(query, "offset", 0, 0, auditOffset)
	if err != nil {
		return err
	}
	entries, total, err := h.Operations.Audit.Page(r.Context(), filter, limit, offset)
	if err != nil {
		return err
	}
	found := rows[auditRow]{make([]auditRow, len(entries)), total}
	for i, entry := range entries {
		found.Rows[i] = auditRowOf(entry)
	}
	if err := h.Team.Viewed(r.Context(), service(token), "audit-log", loop.MemberID(filter.Member), loop.ClientID(filter.Client)); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, found)
}

// auditFilter reads which records are sought.
func auditFilter(query url.Values) (f audit.Filter, err error) {
	for _, name := range []string{"actor_id", "event_type", "entity_id"} {
		if text := query.Get(name); len(text) > auditTextBytes || strings.ContainsFunc(text, notPrintable) {
			return f, loop.Errorf(loop.ValidationError, "The %s has at most %d characters of printable ASCII.", name, auditTextBytes).About(name)
		}
	}
	f.Actor, f.Event = query.Get("actor_id"), query.Get("event_type")
	if f.Since, err = momentIn(query, "since"); err != nil {
		return f, err
	}
	if f.Until, err = momentIn(query, "until"); err != nil {
		return f, err
	}
	return f, setEntity(&f, query.Get("entity_type"), query.Get("entity_id"))
}

func notPrintable(c rune) bool { return c < ' ' || c > '~' }

// setEntity has a filter let through what concerns one member, app or grant.
func setEntity(f *audit.Filter, kind, id string) error {
	if (kind == "") != (id == "") {
		return loop.Errorf(loop.ValidationError, "An entity has a type and an id. Send entity_type and entity_id together.").About("entity_id")
	}
	switch kind {
	case "":
	case "user":
		f.Member = id
	case "client":
		f.Client = id
	case "grant":
		f.Grant = id
	default:
		return loop.Errorf(loop.ValidationError, "The entity_type is user, client or grant.").About("entity_type")
	}
	return nil
}

// momentIn reads a moment (RFC 3339); the zero one where there is none.
func momentIn(query url.Values, name string) (time.Time, error) {
	text := query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, strings.ToUpper(text)) // §5.6: t and z may be small
	if err != nil {
		return at, loop.Errorf(loop.ValidationError, "The %s is no moment of RFC 3339, such as 2026-03-02T08:15:00Z. A + in it is sent as %%2B.", name).About(name)
	}
	return at, nil
}

// number reads a whole number within bounds.
func number(query url.Values, name string, otherwise, least, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most {
		return 0, loop.Errorf(loop.ValidationError, "The %s is a number from %d to %d.", name, least, most).About(name)
	}
	return value, nil
}
