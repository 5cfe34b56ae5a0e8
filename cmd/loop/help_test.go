package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoop_HelpIsWhereOneLooksForIt(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{"dev start", "client create"}},
		{[]string{"help"}, []string{"dev start", "client create"}},
		{[]string{"help", "client", "create"}, []string{"loop client create", "--redirect-uri"}},
		{[]string{"dev", "--help"}, []string{"dev browser", "--domain", "--no-quickstart"}},
		{[]string{"dev", "help"}, []string{"dev browser", "--domain", "--no-quickstart"}},
	} {
		out := o.do(c.args...)
		for _, says := range c.says {
			if !strings.Contains(out, says) {
				t.Errorf("loop %s does not say %q:\n%s", strings.Join(c.args, " "), says, out)
			}
		}
	}
}

func TestLoop_WhatIsNotUnderstoodNamesTheHelp(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"launch"}, "loop --help"},
		{[]string{"client"}, "loop client --help"},
		{[]string{"client", "list", "--colour"}, "loop client list --help"},
		{[]string{"user", "create"}, "loop user create --help"},
		{[]string{"dev", "--prot", "0"}, "loop dev --help"},
		{[]string{"dev", "run"}, "loop dev run -- python app.py"},
		{[]string{"dev", "run", "--"}, "loop dev run -- python app.py"},
	} {
		_, faults, status := o.try(c.args...)
		if status != 1 || !strings.Contains(faults, c.says) || strings.Count(faults, "\n") != 1 {
			t.Errorf("loop %s: status %d, and it does not name %q in one sentence: %s", strings.Join(c.args, " "), status, c.says, faults)
		}
	}
}

func TestLoop_DevThatIsCalledWronglyMakesNoFolder(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	for _, args := range [][]string{{"--port", "99999"}, {"--port", "-1"}, {"--domain", "localhost"}, {"--limits", "maybe"}} {
		folder := filepath.Join(t.TempDir(), "state")
		if _, faults, status := o.try(append([]string{"dev", "--dir", folder}, args...)...); status != 1 || strings.Count(faults, "\n") != 1 {
			t.Errorf("%v: status %d: %s", args, status, faults)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%v: the folder is there", args)
		}
	}
}
