package library_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/registration/library"
)

var update = flag.Bool("update", false, "write the table into the page of the documentation")

func table(t *testing.T) library.Table {
	t.Helper()
	all, err := library.Read()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryLibraryGivesAClientThatCanBeRegistered(t *testing.T) {
	for _, l := range table(t) {
		for _, kind := range []loop.ClientType{loop.Confidential, loop.Public} {
			if l.Type != "" && l.Type != kind {
				continue
			}
			c := registration.New()
			c.Name, c.Type, c.RedirectURIs = "Morning Labs", kind, []loop.RedirectURI{"https://app.example.com/cb"}
			c.SetDefaults()
			l.Apply(c)
			if faults := c.Validate(); len(faults) > 0 || c.Protocol.Software != l.ID {
				t.Errorf("%s, %s: %v", l.ID, kind, faults)
			}
		}
	}
}

func TestTheLinesNameTheAppsOwnValues(t *testing.T) {
	values := library.Values{ClientID: "client_x", Issuer: "https://identity.example", RedirectURI: "https://app.example.com/cb", Scope: "openid email"}
	for _, l := range table(t) {
		lines, err := l.Filled(values)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"client_x", "https://identity.example"} {
			if !strings.Contains(lines, part) {
				t.Errorf("the lines of %s do not name %s", l.ID, part)
			}
		}
	}
}

func TestALibraryThatIsNotThereIsNotFound(t *testing.T) {
	if _, ok := table(t).Find("netscape"); ok {
		t.Error("it is")
	}
}

// The page Works with is the table: with -update it is written anew.
func TestThePageWorksWithIsTheTable(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# Client libraries

What each of these client libraries sends and needs was measured with the version that is named, unmodified. The lines below are the settings that this showed to be needed, in their shortest form. Choose yours at *What do you build with?* when you register an app: the portal sets what the library needs, and the app's page shows the lines below with your app's own values. All of them need PKCE switched on.

| library | language | version | ID tokens | authentication | grace period |
| --- | --- | --- | --- | --- | --- |
`)
	for _, l := range table(t) {
		fmt.Fprintf(&page, "| [%s](#%s) | %s | %s | %s | %s | %s |\n", l.Label(), anchor(l.Label()), l.Language, orDash(l.Version), l.Algorithm, l.AuthMethod, grace(l.Grace))
	}
	for _, l := range table(t) {
		lines, err := l.Filled(library.Values{ClientID: "client_…", Issuer: "https://identity.platform.loop.health", RedirectURI: "https://app.example.com/callback", Scope: "openid profile email"})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&page, "\n## %s\n\n```%s\n%s\n```\n", l.Label(), l.Code, strings.TrimSpace(lines))
		for i, note := range l.Notes {
			if i == 0 {
				page.WriteString("\n")
			}
			page.WriteString("- " + note + "\n")
		}
	}
	file := filepath.Join("..", "..", "..", "docs", "works-with.md")
	if *update {
		if err := os.WriteFile(file, []byte(page.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile(file); err != nil || string(written) != page.String() {
		t.Errorf("%s is not the table (%v): go test ./internal/registration/library -update", file, err)
	}
}

// anchor is how the documentation names a heading.
func anchor(heading string) string {
	var name strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-':
			name.WriteRune(r)
		case r == ' ' || r == '_':
			name.WriteByte('-')
		}
	}
	return name.String()
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func grace(seconds int) string {
	if seconds == 0 {
		return "none"
	}
	return fmt.Sprintf("%d s", seconds)
}
