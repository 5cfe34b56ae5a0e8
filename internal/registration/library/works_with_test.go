package library_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/registration/library"
	"github.com/loop-health/loop/internal/registration/library/tried"
)

var update = flag.Bool("update", false, "write the page of the documentation anew")

// The page Works with is the table and what came of trying its libraries.
func TestThePageWorksWithIsTheTableAndItsResults(t *testing.T) {
	results, err := tried.Read(filepath.Join("..", "..", "..", "test", "clients", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := table(t)
	for _, result := range results {
		if l, ok := all.Find(result.ID); !ok || l.Version != result.Version {
			t.Errorf("%s was tried in version %s, and the table has %q", result.ID, result.Version, l.Version)
		}
	}
	page := worksWith(t, all, results)
	file := filepath.Join("..", "..", "..", "docs", "works-with.md")
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile(file); err != nil || string(written) != page {
		t.Errorf("%s is not the table (%v): go test ./internal/registration/library -update", file, err)
	}
}

func worksWith(t *testing.T, all library.Table, results []tried.Library) string {
	t.Helper()
	var page strings.Builder
	page.WriteString(`# Client libraries

Each of these client libraries was put, unmodified, into the smallest app that can be made with it, and that app run against this platform: first as the library's README has it, then with PKCE switched on, then with the lines below. A member signs in and leaves a scope out; the app reads who they are, refreshes twice in a row and twice at once, uses a token that has expired, and is disconnected. A dash: it was not tried; under *with PKCE on* also that its defaults have PKCE, or no switch for it.

Choose yours at *What do you build with?* when you register an app: the portal sets what the library needs, and the app's page shows the lines below with your app's own values.

| library | language | version | by its README | with PKCE on | with the lines | tried on |
| --- | --- | --- | --- | --- | --- | --- |
`)
	for _, l := range all {
		result, _ := tried.Find(results, l.ID)
		fmt.Fprintf(&page, "| [%s](#%s) | %s | %s | %s | %s | %s | %s |\n", l.Label(), anchor(l.Label()), l.Language, orDash(l.Version),
			verdict(&result.Readme, result), verdict(result.PKCE, result), verdict(&result.Lines, result), orDash(result.Date))
	}
	for _, l := range all {
		page.WriteString(section(t, l))
		if result, ok := tried.Find(results, l.ID); ok {
			page.WriteString(observed(result))
		}
	}
	return page.String()
}

// section is what the table says of a library.
func section(t *testing.T, l library.Library) string {
	t.Helper()
	lines, err := l.Filled(library.Values{ClientID: "client_…", Issuer: "https://identity.platform.loop.health", RedirectURI: "https://app.example.com/callback", Scope: "openid profile email"})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\n## %s\n\n```%s\n%s\n```\n\n", l.Label(), l.Code, strings.TrimSpace(lines))
	fmt.Fprintf(&text, "- Registered with ID tokens by %s, `%s`, %s.\n", l.Algorithm, l.AuthMethod, grace(l.Grace))
	for _, note := range l.Notes {
		text.WriteString("- " + note + "\n")
	}
	return text.String()
}

// observed is what a developer sees of a library that was tried.
func observed(l tried.Library) string {
	var text strings.Builder
	text.WriteString(refused("By its README", &l.Readme))
	text.WriteString(refused("With PKCE on", l.PKCE))
	switch l.Steps.Together {
	case "ok":
		text.WriteString("- Two refreshes at once both succeed.\n")
	case "none":
	default:
		text.WriteString("- Of two refreshes at once with one refresh token the second is a re-use, and the connection ends. The app shows " + code(l.Steps.Together) + "\n")
	}
	if l.Steps.Expiry == "ok" {
		text.WriteString("- It refreshes by itself where a token has expired.\n")
	}
	if l.Steps.Refresh == "none" {
		text.WriteString("- It does not refresh.\n")
	}
	if l.Steps.Disconnect == "by the app" {
		text.WriteString("- It can revoke its tokens.\n")
	}
	if l.Steps.Afterwards != "" {
		text.WriteString("- Where the member has disconnected the app, it shows " + code(l.Steps.Afterwards) + "\n")
	}
	return text.String()
}

// refused is what a developer sees of a way that does not work.
func refused(way string, v *tried.Verdict) string {
	if v == nil || v.Works {
		return ""
	}
	text := "- " + way + " it fails at " + v.Step + "."
	if v.Refusal != "" {
		text += " `loop dev` says " + code(v.Refusal)
	}
	if v.Shown != "" {
		text += " The app shows " + code(v.Shown)
	}
	return text + "\n"
}

// code is the beginning of a text as it was shown.
func code(text string) string {
	const most = 200
	runes := []rune(strings.ReplaceAll(text, "`", "'"))
	if len(runes) > most {
		runes = append(runes[:most], '…')
	}
	return "`" + strings.TrimSpace(string(runes)) + "`"
}

func verdict(v *tried.Verdict, of tried.Library) string {
	switch {
	case v == nil || of.ID == "":
		return "–"
	case v.Works:
		return "works"
	default:
		return "fails at " + v.Step
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
		return "no grace period"
	}
	return fmt.Sprintf("a grace period of %d s", seconds)
}
