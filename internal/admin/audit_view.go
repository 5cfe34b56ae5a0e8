package admin

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// entryView is an audit record as an operator sees it.
type entryView struct {
	Lane    string         `json:"lane"`
	Number  int64          `json:"number"`
	At      string         `json:"at"`
	Event   audit.Event    `json:"event"`
	Actor   string         `json:"actor"`
	Member  loop.MemberID  `json:"user_id,omitempty"`
	Client  loop.ClientID  `json:"client_id,omitempty"`
	Grant   loop.GrantID   `json:"grant_id,omitempty"`
	Request loop.RequestID `json:"request_id,omitempty"`
	Address string         `json:"address,omitempty"`
	Detail  audit.Detail   `json:"detail,omitempty"`
}

func viewEntry(entry Entry) entryView {
	rec := entry.Record
	return entryView{
		Lane: entry.Lane, Number: entry.Number, At: rec.At.UTC().Format(time.RFC3339Nano), Event: rec.Event,
		Actor: strings.TrimSpace(string(rec.Actor.Kind) + " " + rec.Actor.ID), Member: rec.Member, Client: rec.Client, Grant: rec.Grant,
		Request: rec.Origin.Request, Address: rec.Origin.Address, Detail: rec.Detail,
	}
}

// line gives the record in one line: when, what, who, and then what is known.
func (v *entryView) line() string {
	text := fmt.Sprintf("%s %d  %s  %-20s  by %s", v.Lane, v.Number, v.At, v.Event, v.Actor)
	for _, part := range [][2]string{
		{"user", string(v.Member)}, {"client", string(v.Client)}, {"grant", string(v.Grant)}, {"from", v.Address}, {"request", string(v.Request)},
	} {
		if part[1] != "" {
			text += "  " + part[0] + "=" + part[1]
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.Detail)) {
		text += fmt.Sprintf("  %s=%q", key, v.Detail[key])
	}
	return text
}

// csvHeader names the columns of CSV, as entryView does in JSON.
var csvHeader = []string{"lane", "number", "at", "event", "actor", "user_id", "client_id", "grant_id", "request_id", "address", "detail"}

// csv gives the record as a row.
func (v *entryView) csv() []string {
	detail, _ := json.Marshal(v.Detail) // texts always encode
	if len(v.Detail) == 0 {
		detail = nil
	}
	return []string{
		v.Lane, strconv.FormatInt(v.Number, 10), v.At, string(v.Event), v.Actor, string(v.Member), string(v.Client), string(v.Grant), string(v.Request), v.Address, string(detail),
	}
}

// entryWriter gives what writes one record after the other in the form asked for.
func entryWriter(w io.Writer, inJSON, inCSV bool) (func(entryView) error, error) {
	switch {
	case inJSON:
		return func(v entryView) error { return json.NewEncoder(w).Encode(v) }, nil // one object a line: the record has no end
	case !inCSV:
		return func(v entryView) error {
			_, err := fmt.Fprintln(w, v.line())
			return err
		}, nil
	}
	table := csv.NewWriter(w)
	write := func(row []string) error {
		_ = table.Write(row) // Error has it
		table.Flush()
		return table.Error()
	}
	return func(v entryView) error { return write(v.csv()) }, write(csvHeader)
}
