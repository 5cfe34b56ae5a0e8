package admin

import (
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

type auditTail struct {
	Last   int           `short:"n" default:"20" help:"How many." placeholder:"N"`
	Member string        `help:"Only what concerns this member: an id or e-mail address." placeholder:"USER"`
	Client loop.ClientID `help:"Only what concerns this app." placeholder:"CLIENT"`
	Event  string        `help:"Only this event, such as client.updated, or all of a thing, such as client." placeholder:"EVENT"`
	Since  string        `help:"Only from this moment on: 2026-03-02, 2026-03-02T08:15:00Z, or 2h for the last two hours." placeholder:"MOMENT"`
	Until  string        `help:"Only before this moment." placeholder:"MOMENT"`
	Follow bool          `short:"f" help:"Go on with each record that is added. It takes a platform that runs."`
	CSV    bool          `name:"csv" help:"Answer in CSV."`
}

// Run shows records, one a line.
func (cmd *auditTail) Run(run *Run) error {
	filter, err := cmd.filter(run)
	if err != nil {
		return err
	}
	write, err := entryWriter(run.Stdout, run.JSON, cmd.CSV)
	if err != nil {
		return err
	}
	show := run.Operations.Audit.Tail
	if cmd.Follow {
		show = run.Operations.Audit.Follow
	}
	return show(run.Context, filter, cmd.Last, func(entry Entry) error { return write(viewEntry(entry)) })
}

// filter reads which records are meant, and says all that is wrong with that.
func (cmd *auditTail) filter(run *Run) (f audit.Filter, err error) {
	f = audit.Filter{Event: cmd.Event, Client: string(cmd.Client)}
	var faults []error
	if cmd.Last < 1 {
		faults = append(faults, errors.New("-n takes a number of at least 1"))
	}
	if cmd.CSV && run.JSON {
		faults = append(faults, errors.New("--csv and --json can't both be"))
	}
	if cmd.Client != "" && !cmd.Client.Valid() {
		faults = append(faults, noClient(cmd.Client))
	}
	if cmd.Member != "" {
		id, err := run.memberOrErased(cmd.Member)
		f.Member, faults = string(id), append(faults, err)
	}
	now := time.Now()
	for flag, moment := range map[string]struct {
		text string
		into *time.Time
	}{"--since": {cmd.Since, &f.Since}, "--until": {cmd.Until, &f.Until}} {
		if *moment.into, err = readMoment(moment.text, now); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", flag, err))
		}
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		faults = append(faults, errors.New("--since is not before --until: nothing lies between"))
	}
	return f, errors.Join(faults...)
}

// memberOrErased finds who is meant: by their id also where they are not there any more,
// since their records are.
func (run *Run) memberOrErased(text string) (loop.MemberID, error) {
	if run.Operations.Unavailable != nil && !loop.MemberID(text).Valid() {
		return "", errors.New("--member takes an id here, user_…: this server knows nobody's address")
	}
	return run.member(text)
}

// readMoment reads a day, a moment, or how long ago; the zero time where nothing is said.
func readMoment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago <= 0 {
		return time.Time{}, fmt.Errorf("%q is no moment: write a day (2026-03-02), a moment (2026-03-02T08:15:00Z) or how long ago (2h)", text)
	}
	return now.Add(-ago), nil
}
