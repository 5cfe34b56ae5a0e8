package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Searched is the record of a database as operators search it.
type Searched interface {
	NewestRecords(ctx context.Context, f audit.Filter, atMost int) ([]audit.Row, error)
	CountRecords(ctx context.Context, f audit.Filter) (int64, error)
	Heads(ctx context.Context) ([]audit.Head, error)
}

// SearchesAudit is the part of the contract by which operators read the record: add
// writes a record to the database.
func SearchesAudit(t *testing.T, db Searched, world loop.World, add func(audit.Record) error) {
	t.Helper()
	begin := world.Now().Add(time.Hour).Truncate(time.Second)
	write := func(minute int, event audit.Event, actor, member, client string) {
		t.Helper()
		must(t, add(audit.Record{
			At: begin.Add(time.Duration(minute) * time.Minute), Event: event, Actor: audit.Actor{Kind: audit.ByOperator, ID: actor},
			Member: loop.MemberID(member), Client: loop.ClientID(client), Detail: audit.Detail{"minute": fmt.Sprint(minute)},
		}))
	}
	write(1, audit.ClientCreated, "grace", "", "client_a")
	write(2, audit.ClientUpdated, "grace", "", "client_b")
	write(3, audit.MemberCreated, "grace", "user_a", "")
	write(4, audit.GrantGiven, "user_a", "user_a", "client_a")
	write(5, audit.ClientUpdated, "edsger", "", "client_a")

	at := func(minute int) time.Time { return begin.Add(time.Duration(minute) * time.Minute) }
	for name, c := range map[string]struct {
		filter audit.Filter
		most   int
		want   []string // minutes
		total  int64
	}{
		"all since then, newest first": {audit.Filter{Since: begin}, 10, []string{"5", "4", "3", "2", "1"}, 5},
		"no more than was asked for":   {audit.Filter{Since: begin}, 2, []string{"5", "4"}, 5},
		"of a member":                  {audit.Filter{Member: "user_a", Since: begin}, 10, []string{"4", "3"}, 2},
		"of an app":                    {audit.Filter{Client: "client_a", Since: begin}, 10, []string{"5", "4", "1"}, 3},
		"by somebody":                  {audit.Filter{Actor: "edsger"}, 10, []string{"5"}, 1},
		"an event":                     {audit.Filter{Event: "client.updated", Since: begin}, 10, []string{"5", "2"}, 2},
		"a thing":                      {audit.Filter{Event: "client", Since: begin}, 10, []string{"5", "2", "1"}, 3},
		"the beginning of a word":      {audit.Filter{Event: "clien", Since: begin}, 10, nil, 0},
		"a joker":                      {audit.Filter{Event: "%", Since: begin}, 10, nil, 0},
		"a time, its end left out":     {audit.Filter{Since: at(2), Until: at(4)}, 10, []string{"3", "2"}, 2},
		"before all":                   {audit.Filter{Since: begin, Until: at(1)}, 10, nil, 0},
		"after all":                    {audit.Filter{Since: at(6)}, 10, nil, 0},
		"both":                         {audit.Filter{Client: "client_a", Event: "client", Until: at(5), Since: begin}, 10, []string{"1"}, 1},
	} {
		rows, err := db.NewestRecords(t.Context(), c.filter, c.most)
		must(t, err)
		var got []string
		for _, row := range rows {
			rec, err := row.Record()
			must(t, err)
			got = append(got, rec.Detail["minute"])
		}
		total, err := db.CountRecords(t.Context(), c.filter)
		if diff := cmp.Diff(c.want, got); diff != "" || total != c.total || err != nil {
			t.Errorf("%s: %d in all, %v (-want +found):\n%s", name, total, err, diff)
		}
	}
	heads, err := db.Heads(t.Context())
	must(t, err)
	behind := make(map[string]int64)
	for _, head := range heads {
		behind[head.Lane] = head.Number
	}
	write(7, audit.ClientEnabled, "grace", "", "client_a")
	rows, err := db.NewestRecords(t.Context(), audit.Filter{Behind: behind}, 10)
	if err != nil || len(rows) != 1 || rows[0].Event != audit.ClientEnabled {
		t.Errorf("behind the heads: %v, %v", rows, err)
	}
}
