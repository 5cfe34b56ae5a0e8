package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

type auditCommands struct {
	Target `embed:""`

	Verify auditVerify `cmd:"" help:"Check that no record was changed, taken out or added."`
	Tail   auditTail   `cmd:"" help:"Show the newest records."`
}

type auditVerify struct {
	Checkpoints string `help:"A file of checkpoints that you keep elsewhere: what was cut off since then shows too." placeholder:"FILE"`
}

// Run verifies the record and fails where it finds a fault.
func (cmd *auditVerify) Run(run *Run) error {
	found, err := run.Operations.Audit.Verify(run.Context, run.Stdin) // the file that Grammar.Stdin has opened
	if err != nil {
		return err
	}
	if found.Faults == nil {
		found.Faults = []string{}
	}
	if err := run.show(found, whole(found)); err != nil || len(found.Faults) == 0 {
		return err
	}
	faults := []error{errors.New("the audit record is not as it was written")}
	for _, fault := range found.Faults {
		faults = append(faults, errors.New(fault))
	}
	return errors.Join(faults...)
}

// whole says that all is well, where it is.
func whole(found Verification) func(io.Writer) error {
	if len(found.Faults) > 0 {
		return func(io.Writer) error { return nil }
	}
	return line("The audit record is whole: %d records, %d checkpoints.", found.Records, found.Checkpoints)
}

type auditTail struct {
	Last int `short:"n" default:"20" help:"How many." placeholder:"N"`
}

// Run shows the newest records, one a line.
func (cmd *auditTail) Run(run *Run) error {
	if cmd.Last < 1 {
		return errors.New("-n takes a number of at least 1")
	}
	return run.Operations.Audit.Tail(run.Context, cmd.Last, func(entry Entry) error {
		view := viewEntry(entry)
		if run.JSON {
			return json.NewEncoder(run.Stdout).Encode(view) // one object a line: the record has no end
		}
		_, err := fmt.Fprintln(run.Stdout, view.line())
		return err
	})
}

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
