package connection

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Reads is the record of what apps read.
type Reads interface {
	// Usage counts a member's reads by app and by week, for the Weeks weeks from a
	// moment on, with which a day begins (UTC).
	Usage(ctx context.Context, member loop.MemberID, since time.Time) (map[loop.ClientID]Usage, error)
	ReadLister
}

// ReadLister lists the record of what apps read.
type ReadLister interface {
	// ListReads gives the member's reads behind a place, newest first, of one app or,
	// where client is empty, of all.
	ListReads(ctx context.Context, member loop.MemberID, client loop.ClientID, after ReadPlace, atMost int) ([]Read, error)
}

// Weeks is how many weeks of reads are counted, this one among them.
const Weeks = 12

// Week is a week of counting.
const Week = 7 * 24 * time.Hour

// weekBegin gives the beginning of the oldest week that is counted, so that the newest
// ends with today.
func weekBegin(now time.Time) time.Time {
	tomorrow := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return tomorrow.Add(-Weeks * Week)
}

// Usage is how an app reads a member's data.
type Usage struct {
	ByWeek     [Weeks]int // the oldest week first
	Begin      time.Time  // of the oldest week
	LastReadAt time.Time  // in these weeks; zero: not in them
}

// Read is one read of health data by an app.
type Read struct {
	Place  ReadPlace
	Client loop.ClientID
	Grant  loop.GrantID
	Count  int // of results that the app got
}

// At is when it was.
func (r *Read) At() time.Time { return r.Place.At }

// ReadPlace is a place in the list of reads. The zero place is before the newest.
type ReadPlace struct {
	At     time.Time
	Lane   string // of the audit record
	Number int64
}

// IsZero reports whether it is the beginning of the list.
func (p ReadPlace) IsZero() bool { return p.Number == 0 }

// String gives the place as a cursor.
func (p ReadPlace) String() string {
	if p.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", p.At.UnixMicro(), p.Number, p.Lane))
}

// ParseReadPlace reads a cursor; a ValidationError where it is none. Nobody gains by
// making one up: whoever does only moves within a list that is theirs.
func ParseReadPlace(cursor string) (ReadPlace, error) {
	if cursor == "" {
		return ReadPlace{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	parts := strings.SplitN(string(raw), " ", 3)
	if err != nil || len(parts) != 3 {
		return ReadPlace{}, errNoCursor
	}
	at, atErr := strconv.ParseInt(parts[0], 10, 64)
	number, numberErr := strconv.ParseInt(parts[1], 10, 64)
	if atErr != nil || numberErr != nil || number < 1 || parts[2] == "" || len(parts[2]) > 40 || strings.ContainsFunc(parts[2], func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ReadPlace{}, errNoCursor
	}
	return ReadPlace{At: time.UnixMicro(at).UTC(), Number: number, Lane: parts[2]}, nil
}

var errNoCursor = loop.Errorf(loop.ValidationError, "This is no cursor of this list. Send the next_cursor of the page before, or leave it out.").About("cursor")

// Page is some of the reads, newest first.
type Page struct {
	Reads []Read
	Next  ReadPlace // behind the last; zero: there are no more
}

// Activity gives a page of what apps read of the member, newest first; of one app
// where client is not empty.
func (c *Connections) Activity(ctx context.Context, member loop.MemberID, client loop.ClientID, after ReadPlace, atMost int) (Page, error) {
	return ListPage(ctx, c.Reads, member, client, after, atMost)
}

// ListPage gives a page of a member's reads, newest first; of one app where client is
// not empty.
func ListPage(ctx context.Context, lister ReadLister, member loop.MemberID, client loop.ClientID, after ReadPlace, atMost int) (Page, error) {
	reads, err := lister.ListReads(ctx, member, client, after, atMost+1)
	if err != nil {
		return Page{}, fmt.Errorf("listing reads: %w", err)
	}
	if len(reads) <= atMost {
		return Page{Reads: reads}, nil
	}
	reads = reads[:atMost]
	return Page{Reads: reads, Next: reads[atMost-1].Place}, nil
}
