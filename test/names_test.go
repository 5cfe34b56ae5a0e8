package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Names that a page could be broken by: without a place to wrap, with letters that
// change their length in other cases, from right to left.
var unusualNames = []struct{ member, app string }{
	{strings.Repeat("Wolfeschlegelsteinhausenbergerdorff", 3)[:100], strings.Repeat("Laboratuvar", 6)[:60]},
	{"Ayşegül Gökçe İnönü-Şahinoğlu", "Işıl’ın Sağlık Günlüğü"},
	{"עדה לאבלייס", "מעבדות הבוקר"},
}

func TestNamesOfEveryKindFitThePagesAndStayWhereTheyBelong(t *testing.T) {
	needChromium(t)
	p := startPlatform(t, "--no-quickstart")
	for i, names := range unusualNames {
		t.Run(names.app, func(t *testing.T) {
			email := fmt.Sprintf("member%d@members.example", i)
			member := p.made(t, "user", "create", "--name", names.member, "--email", email, "--test")
			app := p.made(t, "client", "create", "--name", names.app, "--redirect-uri", p.env["LOOP_REDIRECT_URI"],
				"--scope", "openid profile email read:biomarkers", "--owner", member["user_id"])
			p.secrets.saw("client secret", app["client_secret"])
			request := p.authorization("x")
			request.Set("client_id", app["client_id"])
			request.Set("scope", "openid profile email read:biomarkers")

			b := p.browser(t)
			authorize := p.env["LOOP_IDENTITY_URL"] + "/v1/oauth/authorize?"
			b.open(t, authorize+request.Encode())
			b.holdsNames(t, "sign-in", names.app)
			b.fill(t, "email", email)
			b.fill(t, "password", member["password"])
			b.press(t, "sign-in")
			b.holdsNames(t, "consent", names.app, names.member)
			b.press(t, "switch-account")
			b.holdsNames(t, "sign-in again", names.app)

			b.open(t, p.env["LOOP_DEVELOPERS_URL"]+"/apps")
			b.fill(t, "email", email)
			b.fill(t, "password", member["password"])
			b.press(t, "sign-in")
			b.holdsNames(t, "apps", names.app, names.member)
			b.open(t, p.env["LOOP_DEVELOPERS_URL"]+"/apps/"+app["client_id"])
			b.holdsNames(t, "app", names.app, names.member)
			b.press(t, "edit")
			b.holdsNames(t, "edit", names.app, names.member)
			b.open(t, p.env["LOOP_IDENTITY_URL"]+"/")
			b.holdsNames(t, "home", names.member)
			request.Set("prompt", "select_account")
			b.open(t, authorize+request.Encode())
			b.holdsNames(t, "choice", names.app, names.member)
		})
	}
}

// holdsNames wants the page to fit the narrowest screen, and each name where it
// stands to be kept from turning the text around it.
func (b *browser) holdsNames(t *testing.T, page string, names ...string) {
	t.Helper()
	b.show(t, narrow, "light")
	if wide := b.number(t, "document.documentElement.scrollWidth"); wide > float64(narrow.width) {
		t.Errorf("%s is %v pixels wide on a screen of %d", page, wide, narrow.width)
	}
	for _, name := range names {
		found := b.eval(t, `(() => {
			const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
			let inside = 0, loose = 0;
			while (texts.nextNode()) {
				const text = texts.currentNode;
				if (!text.data.includes(`+quote(name)+`)) continue;
				text.parentElement.closest("bdi") ? inside++ : loose++;
			}
			return inside + " and " + loose;
		})()`)
		if inside, loose, _ := strings.Cut(found, " and "); inside == "0" || loose != "0" {
			t.Errorf("%s holds %q %s times set apart and %s times not", page, name, inside, loose)
		}
	}
}

// made calls the binary with --json and gives the texts of what it made.
func (p *platform) made(t *testing.T, args ...string) map[string]string {
	t.Helper()
	out, fault, status := p.loop(t, append(args, "--json")...)
	var all map[string]any
	if err := json.Unmarshal([]byte(out), &all); err != nil || status != 0 {
		t.Fatalf("loop %s ends with status %d: %v: %s", strings.Join(args, " "), status, err, fault)
	}
	texts := make(map[string]string)
	for name, value := range all {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts
}
