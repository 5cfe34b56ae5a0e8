package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/admin"
)

func TestLoop_TheRecordIsSearched(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	id := text(t, o.object("client", "create", "--name", "Morning Labs", "--redirect-uri", "https://app.example.com/cb"), "client_id")
	o.do("client", "update", id, "--name", "Evening Labs")
	user := text(t, o.object("user", "create", "--name", "Ada", "--email", "ada@members.example"), "user_id")
	for name, c := range map[string]struct {
		args  []string
		lines []string // what each says
	}{
		"of an app":         {[]string{"--client", id}, []string{"client.created", "client.updated"}},
		"an event of it":    {[]string{"--client", id, "--event", "client.updated"}, []string{"client.updated"}},
		"a thing":           {[]string{"--event", "member"}, []string{"member.created"}},
		"by address":        {[]string{"--member", "ada@members.example"}, []string{user}},
		"of a time":         {[]string{"--client", id, "--since", "1h"}, []string{"client.created", "client.updated"}},
		"of a time of past": {[]string{"--client", id, "--until", "2020-01-01"}, nil},
		"the newest":        {[]string{"--client", id, "-n", "1"}, []string{"client.updated"}},
	} {
		lines := strings.Split(strings.TrimSuffix(o.do(append([]string{"audit", "tail"}, c.args...)...), "\n"), "\n")
		if len(c.lines) == 0 {
			c.lines = []string{""}
		}
		if len(lines) != len(c.lines) {
			t.Fatalf("%s: %q", name, lines)
		}
		for i, want := range c.lines {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: line %d is %q", name, i, lines[i])
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(o.do("audit", "tail", "--client", id, "--csv"))).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][3] != "event" || rows[2][3] != "client.updated" || !strings.Contains(rows[2][10], "client_name") {
		t.Errorf("CSV: %v %q", err, rows)
	}
	if one := o.object("audit", "tail", "--client", id, "-n", "1"); one["event"] != "client.updated" || one["client_id"] != id {
		t.Errorf("JSON: %v", one)
	}
}

func TestLoop_WhatIsWrongWithASearchIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	_, says, status := o.try("audit", "tail", "-n", "0", "--client", "morning-labs", "--member", "eve@members.example", "--since", "yesterday", "--csv", "--json")
	for _, want := range []string{"-n takes", "not a client's id", "nobody has an account", "--since", "no moment", "--csv and --json"} {
		if status != 1 || !strings.Contains(says, want) {
			t.Errorf("status %d, it lacks %q: %s", status, want, says)
		}
	}
	if _, says, status := o.try("audit", "tail", "--since", "2026-03-02", "--until", "2026-03-01"); status != 1 || !strings.Contains(says, "nothing lies between") {
		t.Errorf("status %d: %s", status, says)
	}
	if _, says, status := o.try("audit", "tail", "--follow"); status != 1 || !strings.Contains(says, "nothing to follow") {
		t.Errorf("following nothing: status %d: %s", status, says)
	}
}

func TestLoop_ErrorsAreJSONWhereAnswersAre(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for name, c := range map[string]struct {
		args []string
		want []admin.Fault
	}{
		"of a rule": {
			[]string{"user", "create", "--name", "Ada", "--email", "ada", "--json"},
			[]admin.Fault{{Code: "validation_error", Field: "email", Text: "Enter one e-mail address, such as name@example.com."}},
		},
		"of a command": {
			[]string{"client", "show", "client_x", "--json"},
			[]admin.Fault{{Code: "command_failed", Text: `"client_x" is not a client's id: it reads client_ and 26 letters and digits; loop client list shows them all`}},
		},
		"of the grammar": {
			[]string{"client", "lst", "--json"},
			[]admin.Fault{{Code: "command_failed", Text: `unexpected argument lst, did you mean "list"?; loop client --help says what there is`}},
		},
	} {
		_, says, status := o.try(c.args...)
		var got struct{ Errors []admin.Fault }
		err := json.Unmarshal([]byte(says), &got)
		if err != nil || status != 1 || len(got.Errors) != len(c.want) || got.Errors[0] != c.want[0] {
			t.Errorf("%s: status %d, %v: %s", name, status, err, says)
		}
	}
}

// followed writes what a command that follows shows, and ends it once it has seen enough.
type followed struct {
	bytes.Buffer
	enough string
	end    context.CancelFunc
}

func (f *followed) Write(p []byte) (int, error) {
	n, err := f.Buffer.Write(p)
	if strings.Contains(f.String(), f.enough) {
		f.end()
	}
	return n, err
}

func TestLoop_TheRecordOfAServerIsFollowed(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	ctx, stop := context.WithCancel(t.Context())
	stopped := o.serve(ctx)
	following, end := context.WithCancel(t.Context())
	shown := &followed{enough: "client.created", end: end}
	done := make(chan int)
	go func() {
		done <- run(following, []string{"audit", "tail", "--follow", "-n", "1"}, o.env, strings.NewReader(""), shown, &bytes.Buffer{})
	}()
	o.do("client", "create", "--name", "Morning Labs", "--redirect-uri", "https://app.example.com/cb")
	if status := <-done; status != 0 {
		t.Errorf("following ends with status %d: %s", status, shown.String())
	}
	stop()
	if err := <-stopped; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
