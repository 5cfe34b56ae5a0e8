package dev

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// Welcome says what runs where, who can sign in, and what to do next, one
// copyable line each. The last line begins with "ready".
func (d *Dev) Welcome(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Connect with Loop runs on this machine alone, with people and lab results that are invented.\n\n")
	d.tellAddresses(&text)
	d.tellPeople(&text)
	d.tellNext(&text)
	fmt.Fprintf(&text, "\nready after %s; Ctrl-C stops it\n", d.config.World.Now().Sub(d.startedAt).Round(10*time.Millisecond))
	_, err := io.WriteString(w, text.String())
	return err
}

// row writes a name and what belongs to it, aligned with the others.
func row(w io.Writer, name, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "  %-13s %s\n", name, fmt.Sprintf(format, args...))
}

func (d *Dev) tellAddresses(w io.Writer) {
	addresses := d.Addresses()
	for _, name := range []string{"identity", "clinical", "developers", "inbox", "quickstart", "proxy"} {
		if address, ok := addresses[name]; ok {
			row(w, name, "%s", address)
		}
	}
}

func (d *Dev) tellPeople(w io.Writer) {
	settings := d.config.Search.relative(filepath.Join(d.folder, devEnvFile))
	_, _ = fmt.Fprintln(w)
	for _, who := range []struct {
		name   string
		person Person
	}{{"member", d.Seed.Member}, {"member", d.Seed.Member2}, {"developer", d.Seed.Developer}} {
		row(w, who.name, "%-26s %s", who.person.Email, who.person.Password)
	}
	row(w, "more members", "%s, each with a story", d.layout.developers.JoinPath("test-members"))
	row(w, "client id", "%s", d.Seed.ClientID)
	row(w, "its secret", "in %s, with everything else that an app needs", settings)
}

// tellNext writes one line for each thing to do next.
func (d *Dev) tellNext(w io.Writer) {
	search, docs := d.config.Search, d.layout.developers.JoinPath("docs").String()
	loop, flag := search.Command, search.dirFlag(d.folder)
	_, _ = fmt.Fprintln(w)
	if d.names != nil {
		row(w, "your own app", "%s dev run%s -- python app.py", loop, flag)
		row(w, "try it", "%s dev browser%s http://localhost:5000/login", loop, flag)
		row(w, "documentation", "%s dev browser%s %s", loop, flag, docs)
		row(w, "stop", "%s dev stop%s", loop, flag)
		return
	}
	settings := quote(search.relative(filepath.Join(d.folder, devEnvFile)))
	if !strings.ContainsRune(settings, '/') {
		settings = "./" + settings // a shell would look for it in PATH
	}
	if d.layout.quickstart {
		row(w, "try it", "%s/login", d.Addresses()["quickstart"])
		row(w, "your own app", "%s dev%s --no-quickstart", loop, flag)
		row(w, "", "then, in the app's terminal: . %s", settings)
	} else {
		row(w, "your own app", ". %s", settings)
	}
	row(w, "documentation", "%s", docs)
	row(w, "stop", "%s dev stop%s", loop, flag)
}
