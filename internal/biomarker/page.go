package biomarker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Results is what reading needs from the store.
type Results interface {
	// ListResults hands the member's results that are in the selection to each,
	// newest first (by collection time, then id), until each returns false. It
	// gives the number of the member's newest arrival that was in view; 0
	// without results.
	ListResults(ctx context.Context, member loop.MemberID, s Selection, each func(*Result) bool) (arrival int64, err error)
	// FindResult gives one of the member's results; loop.ErrNotFound where the
	// member has none with this id.
	FindResult(ctx context.Context, member loop.MemberID, id loop.ResultID) (*Result, error)
}

// Selection is the part of a query that the store answers.
type Selection struct {
	Codes    []Code    // any of these; empty: every one
	From, To time.Time // of the collection: from included, to excluded; zero: open
	Latest   bool      // only the newest of each biomarker between From and To
	After    Position  // zero: from the newest on

	Retracted bool // also what was entered in error
}

// Judged is a result with what the catalogue knows about it.
type Judged struct {
	Result
	Biomarker *Biomarker
	Judgement
}

// Page is one page of a list of results.
type Page struct {
	Results []Judged
	Next    string // the cursor of the next page; empty: this was the last
}

// Reader answers queries for a member's results.
type Reader struct {
	Catalogue *Catalogue
	Results   Results
	Cursors   Tagger
}

// Read gives a page of the member's results, judged for the person that the
// member is recorded as now. Its errors are those of the cursor (ValidationError) and of
// the store.
func (r *Reader) Read(ctx context.Context, member loop.MemberID, person Person, q Query) (page Page, err error) {
	page.Results = make([]Judged, 0, min(q.Limit, DefaultLimit))
	page.Next, err = r.Each(ctx, member, person, q, func(j *Judged) { page.Results = append(page.Results, *j) })
	if err != nil {
		return Page{}, err
	}
	return page, nil
}

// Each is Read for who needs one result at a time: it hands each result of the page to
// each, newest first, and gives the cursor of the next page; empty: this was the last.
// What is handed out is written over by the next.
func (r *Reader) Each(ctx context.Context, member loop.MemberID, person Person, q Query, each func(*Judged)) (next string, err error) {
	after, err := position(r.Cursors, member, &q)
	if err != nil {
		return "", err
	}
	codes, some := r.Catalogue.codesOf(&q)
	if !some {
		return "", nil
	}
	c := collector{catalogue: r.Catalogue, person: person, query: &q, each: each}
	selection := Selection{Codes: codes, From: q.From, To: q.To, Latest: q.Latest, After: after}
	arrival, err := r.Results.ListResults(ctx, member, selection, c.take)
	if err = cmp.Or(err, c.err); err != nil {
		return "", fmt.Errorf("listing results: %w", err)
	}
	if c.more {
		c.last.Arrival = arrival
		next = cursorFor(r.Cursors, c.last, member, &q)
	}
	return next, nil
}

// Count gives how many of the member's results a query matches, on all of its pages.
func (r *Reader) Count(ctx context.Context, member loop.MemberID, person Person, q Query) (count int, err error) {
	codes, some := r.Catalogue.codesOf(&q)
	if !some {
		return 0, nil
	}
	var failed error
	selection := Selection{Codes: codes, From: q.From, To: q.To, Latest: q.Latest}
	_, err = r.Results.ListResults(ctx, member, selection, func(result *Result) bool {
		judged, err := r.Catalogue.Judge(result, person)
		if err == nil && q.wants(&judged) {
			count++
		}
		failed = err
		return err == nil
	})
	if err = cmp.Or(err, failed); err != nil {
		return 0, fmt.Errorf("counting results: %w", err)
	}
	return count, nil
}

// wants reports whether a result meets the conditions that are judged here.
func (q *Query) wants(r *Judged) bool {
	return (len(q.Statuses) == 0 || slices.Contains(q.Statuses, r.Status)) && (q.Matching == nil || q.Matching.Matches(r))
}

// Find gives one of the member's results, judged; loop.ErrNotFound where the
// member has none with this id.
func (r *Reader) Find(ctx context.Context, member loop.MemberID, person Person, id loop.ResultID) (*Judged, error) {
	result, err := r.Results.FindResult(ctx, member, id)
	if err != nil {
		return nil, fmt.Errorf("finding a result: %w", err)
	}
	judged, err := r.Catalogue.Judge(result, person)
	return &judged, err
}

// Judge joins a stored result with what the catalogue knows about it.
func (c *Catalogue) Judge(result *Result, person Person) (Judged, error) {
	b, known := c.Find(result.Code)
	if !known {
		return Judged{}, fmt.Errorf("result %s has the code %s, which the catalogue lacks", result.ID, result.Code)
	}
	return Judged{*result, b, b.Judge(result, person)}, nil
}

// collector hands out a page of what it gets from the store.
type collector struct {
	catalogue *Catalogue
	person    Person
	query     *Query
	each      func(*Judged)

	judged Judged // the one at hand
	count  int    // of those that were handed out
	last   Position
	more   bool // there is at least one result behind the page
	err    error
}

// take judges a result and hands it out if its status is asked for; false once the
// page is full and it is known whether more follows.
func (c *collector) take(result *Result) bool {
	if c.judged, c.err = c.catalogue.Judge(result, c.person); c.err != nil {
		return false
	}
	if !c.query.wants(&c.judged) {
		return true
	}
	if c.count == c.query.Limit {
		c.more = true
		return false
	}
	c.count++
	c.last = Position{CollectedAt: result.CollectedAt, ID: result.ID}
	c.each(&c.judged)
	return true
}

// codesOf joins the query's codes and category; without some, no code is in
// both, and no result can be.
func (c *Catalogue) codesOf(q *Query) (codes []Code, some bool) {
	if q.Category == "" {
		return q.Codes, true
	}
	codes = c.In(q.Category)
	if len(q.Codes) > 0 {
		codes = slices.DeleteFunc(codes, func(code Code) bool { return !slices.Contains(q.Codes, code) })
	}
	return codes, len(codes) > 0
}
