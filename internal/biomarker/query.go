package biomarker

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Query is what an app asks for: which of a member's results, newest first,
// and how many at once.
type Query struct {
	Codes    []Code    // any of these; empty: every one
	Category Category  // empty: every one
	Statuses []Status  // any of these; empty: every one, unset too
	From, To time.Time // of the collection: from included, to excluded; zero: open
	Latest   bool      // only the newest result of each biomarker
	System   System    // in which values are given
	Matching Matching  // nil: no further condition

	Limit  int    // 1 to 500
	Cursor string // as it came; empty: from the newest on
}

// Matching is a condition that is judged result by result.
type Matching interface {
	// Matches reports whether a result meets the condition.
	Matches(r *Judged) bool
	// String names the condition: equal ones have one name, others have others.
	String() string
}

// Bounds of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 500
)

// Names of the parameters of a query.
const (
	paramCode       = "code"
	paramCategory   = "category"
	paramStatus     = "status"
	paramFrom       = "from"
	paramTo         = "to"
	paramLatest     = "latest"
	paramUnitSystem = "unit_system"
	paramLimit      = "limit"
	paramCursor     = "cursor"
)

// QueryParameters lists the names that ParseQuery reads.
func QueryParameters() []string {
	return []string{paramCode, paramCategory, paramStatus, paramFrom, paramTo, paramLatest, paramUnitSystem, paramLimit, paramCursor}
}

// ParseQuery reads the parameters of a query (docs/lab-results.md). A bad value
// is a ValidationError that names the parameter and says what is allowed; so is
// a parameter sent twice, but code and status. Unknown parameters are ignored.
func (c *Catalogue) ParseQuery(values url.Values) (Query, error) {
	for _, once := range []string{paramCategory, paramFrom, paramTo, paramLatest, paramUnitSystem, paramLimit, paramCursor} {
		if len(values[once]) > 1 {
			return Query{}, refuse(once, "%s is there more than once. Send it once.", once)
		}
	}
	q := Query{System: Conventional, Limit: DefaultLimit, Cursor: values.Get(paramCursor)}
	for _, read := range []func(url.Values) error{
		q.readCodes(c), q.readCategory, q.readStatuses, q.readInterval, q.readLatest, q.readUnitSystem, q.readLimit,
	} {
		if err := read(values); err != nil {
			return Query{}, err
		}
	}
	if values.Has(paramCursor) && q.Cursor == "" {
		return Query{}, refuse(paramCursor, "cursor is empty. Send the next_cursor of the page before, or leave it out to begin with the newest result.")
	}
	return q, nil
}

// Filters names the filters that the query uses, without their values, for the
// audit record.
func (q *Query) Filters() []string {
	var names []string
	for _, filter := range []struct {
		name string
		used bool
	}{
		{paramCode, len(q.Codes) > 0},
		{paramCategory, q.Category != ""},
		{paramStatus, len(q.Statuses) > 0},
		{paramFrom, !q.From.IsZero()},
		{paramTo, !q.To.IsZero()},
		{paramLatest, q.Latest},
	} {
		if filter.used {
			names = append(names, filter.name)
		}
	}
	return names
}

func refuse(param, format string, args ...any) error {
	return loop.Errorf(loop.ValidationError, format, args...).About(param)
}

func (q *Query) readCodes(c *Catalogue) func(url.Values) error {
	return func(values url.Values) error {
		for _, text := range values[paramCode] {
			if _, known := c.Find(Code(text)); !known {
				return refuse(paramCode, "There is no biomarker with this code. Codes are lower case with hyphens, such as tsh or ldl-c; for several send code several times.")
			}
			q.Codes = append(q.Codes, Code(text))
		}
		q.Codes = sorted(q.Codes)
		return nil
	}
}

func (q *Query) readCategory(values url.Values) error {
	if !values.Has(paramCategory) {
		return nil
	}
	q.Category = Category(values.Get(paramCategory))
	if !slices.Contains(categories(), q.Category) {
		return refuse(paramCategory, "There is no such category. The categories are %s.", join(categories()))
	}
	return nil
}

func (q *Query) readStatuses(values url.Values) error {
	for _, text := range values[paramStatus] {
		if !Status(text).valid() {
			return refuse(paramStatus, "There is no such status. A status is one of %s; for several send status several times.", join(statuses()))
		}
		q.Statuses = append(q.Statuses, Status(text))
	}
	q.Statuses = sorted(q.Statuses)
	return nil
}

func (q *Query) readInterval(values url.Values) error {
	var err error
	if q.From, err = parseMoment(values, paramFrom); err != nil {
		return err
	}
	if q.To, err = parseMoment(values, paramTo); err != nil {
		return err
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return refuse(paramTo, "to is not later than from. from is included, to is excluded.")
	}
	return nil
}

// parseMoment reads RFC 3339, or a date, which stands for its first moment in
// UTC.
func parseMoment(values url.Values, param string) (time.Time, error) {
	if !values.Has(param) {
		return time.Time{}, nil
	}
	text := values.Get(param)
	moment, err := parseTime(text)
	switch {
	case err != nil && strings.Contains(text, " "):
		return time.Time{}, refuse(param, "%s holds a space. If it was a plus sign, write %%2B in the address, or give the time in UTC with a Z.", param)
	case err != nil || moment.Before(earliest):
		return time.Time{}, refuse(param, "%s is a date such as 2026-03-02 or a time such as 2026-03-02T08:15:00Z (RFC 3339), from 1900 on.", param)
	}
	// Moments are kept to the microsecond. Rounding a bound up leaves the same
	// results on either side of it.
	return moment.UTC().Add(time.Microsecond - 1).Truncate(time.Microsecond), nil
}

func (q *Query) readLatest(values url.Values) error {
	if !values.Has(paramLatest) {
		return nil
	}
	switch values.Get(paramLatest) {
	case "true":
		q.Latest = true
	case "false":
	default:
		return refuse(paramLatest, "latest is true or false.")
	}
	return nil
}

func (q *Query) readUnitSystem(values url.Values) error {
	if !values.Has(paramUnitSystem) {
		return nil
	}
	q.System = System(values.Get(paramUnitSystem))
	if !slices.Contains(systems(), q.System) {
		return refuse(paramUnitSystem, "unit_system is one of %s.", join(systems()))
	}
	return nil
}

func (q *Query) readLimit(values url.Values) error {
	if !values.Has(paramLimit) {
		return nil
	}
	text := values.Get(paramLimit)
	limit, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(limit) != text || limit < 1 || limit > MaxLimit {
		return refuse(paramLimit, "limit is a whole number from 1 to %d.", MaxLimit)
	}
	q.Limit = limit
	return nil
}

// sorted brings a repeatable parameter into one form, so that the same question
// asked in another order has the same cursors.
func sorted[T ~string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// join lists names as text.
func join[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, name := range list {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
