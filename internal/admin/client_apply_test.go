package admin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// one is what loop client apply --json says of a table.
type one struct {
	Table   string
	ID      loop.ClientID `json:"client_id"`
	Action  string
	Changes []struct {
		Field         string
		Before, After any
	}
	Secret string `json:"client_secret"`
}

func (o one) fields() (names []string) {
	for _, change := range o.Changes {
		names = append(names, change.Field)
	}
	return names
}

// apply applies a file of clients.
func apply(t *testing.T, p *platformtest.Platform, file string, flags ...string) (all []one, faults string, status int) {
	t.Helper()
	var out, said bytes.Buffer
	args := append([]string{"client", "apply", "-f", "clients.toml", "--json"}, flags...)
	status = p.Commands(nil)(t.Context(), args, strings.NewReader(file), &out, &said)
	var report struct{ Clients []one }
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
	}
	return report.Clients, said.String(), status
}

// clients are those of developers and operators.
func clients(t *testing.T, p *platformtest.Platform) (all []*loop.Client) {
	t.Helper()
	stored, err := p.Clients.Store.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(stored, func(c *loop.Client) bool { return c.FirstParty })
}

func client(t *testing.T, p *platformtest.Platform, id loop.ClientID) *loop.Client {
	t.Helper()
	c, err := p.Clients.Store.Client(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestApply_MakesChangesAndThenChangesNothing: what is not in the file stays as it is,
// and a second time nothing is written at all.
func TestApply_MakesChangesAndThenChangesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	keys := string(platformtest.NewKey(t).Set())
	file := "[labs]\nclient_name = \"Evening Labs\"\nredirect_uris = [\"https://app.example.com/cb\"]\nallowed_scopes = [\"profile\", \"openid\"]\naccess_token_ttl = \"10m\"\n" +
		"[nightly]\nclient_name = \"Nightly\"\ngrant_types = [\"client_credentials\"]\nservice_scopes = [\"orders:read\"]\nrate_limits = { token = 600 }\ntoken_endpoint_auth_method = \"private_key_jwt\"\njwks = '''\n" + keys + "\n'''\n"
	before := len(clients(t, p))

	planned, faults, status := apply(t, p, file, "--check")
	if status != 1 || !strings.Contains(faults, "2 of 2 apps") || len(planned) != 2 || planned[0].Action != "create" || planned[0].Secret != "" || len(clients(t, p)) != before {
		t.Fatalf("a check: status %d, %s, %v", status, faults, planned)
	}
	made, faults, status := apply(t, p, file)
	if status != 0 || len(made) != 2 || made[0].Table != "labs" || made[0].Secret == "" || made[1].Secret != "" {
		t.Fatalf("made: status %d, %s, %v", status, faults, made)
	}
	labs := client(t, p, made[0].ID)
	if labs.AllowedScopes.String() != "openid profile" || labs.AccessTokenTTL.Minutes() != 10 || len(client(t, p, made[1].ID).AllowedScopes) != 0 {
		t.Errorf("made: %+v", labs)
	}
	p.World.Advance(1e9)
	for _, flags := range [][]string{nil, {"--check"}} {
		again, faults, status := apply(t, p, file, flags...)
		if status != 0 || again[0].Action != "none" || again[1].Action != "none" || len(again[1].Changes) != 0 || again[0].Secret != "" {
			t.Errorf("again, %v: status %d, %s, %v", flags, status, faults, again)
		}
	}
	if !client(t, p, labs.ID).UpdatedAt.Equal(labs.UpdatedAt) {
		t.Error("what is as it should be was written")
	}

	file = strings.Replace(file, `"10m"`, `"20m"`, 1)
	changed, _, status := apply(t, p, file)
	if change := changed[0].Changes; status != 0 || len(change) != 1 || change[0].Field != "access_token_ttl" || change[0].Before != 600.0 || change[0].After != 1200.0 || changed[1].Action != "none" {
		t.Errorf("changed: status %d, %v", status, changed)
	}
	byID, _, status := apply(t, p, fmt.Sprintf("[x]\nclient_id = %q\nclient_name = \"Night Labs\"\n", labs.ID))
	if status != 0 || !slices.Equal(byID[0].fields(), []string{"client_name"}) {
		t.Errorf("by id: status %d, %v", status, byID)
	}
	if c := client(t, p, labs.ID); c.Name != "Night Labs" || c.AccessTokenTTL.Minutes() != 20 || len(c.RedirectURIs) != 1 {
		t.Errorf("what the file does not name was changed: %+v", c)
	}
	if len(clients(t, p)) != before+2 {
		t.Error("an app was made twice")
	}
}

// TestApply_RefusesAFileWithTheLineAndChangesNothing: the table that is right is not
// applied either.
func TestApply_RefusesAFileWithTheLineAndChangesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	p.AddApp(t, func(c *loop.Client) { c.Name = "Twice" })
	p.AddApp(t, func(c *loop.Client) { c.Name = "Twice" })
	app := p.AddApp(t, func(c *loop.Client) { c.Name = "Third" })
	before := len(clients(t, p))
	good := "[good]\nclient_name = \"Good Labs\"\nredirect_uris = [\"https://good.example.com/cb\"]\n"
	for name, c := range map[string]struct {
		file string
		says []string
	}{
		"a key that nobody knows":   {"[a]\nclient_name = \"A\"\nredirect_uri = []\n", []string{`clients.toml:6: [a] there is no key \"redirect_uri\" (did you mean redirect_uris?)`}},
		"a key in capitals":         {"[a]\nClient_Name = \"A\"\n", []string{`:5: [a] there is no key \"Client_Name\" (did you mean client_name?)`}},
		"a secret":                  {"[a]\nclient_name = \"A\"\nclient_secret = \"x\"\n", []string{":6: [a] a secret does not belong in this file"}},
		"a file of keys":            {"[a]\nclient_name = \"A\"\njwks_file = \"x\"\n", []string{":6: [a] jwks_file is a flag"}},
		"a text for a list":         {"[a]\nclient_name = \"A\"\nredirect_uris = \"x\"\n", []string{":6: [a] redirect_uris must be a list"}},
		"a list of numbers":         {"[a]\nredirect_uris = [1]\n", []string{":5: [a] redirect_uris must be a list"}},
		"a number for a duration":   {"[a]\nrefresh_grace = 10\n", []string{":5: [a] refresh_grace must be a duration with its unit"}},
		"a text for a switch":       {"[a]\nverified = \"yes\"\n", []string{":5: [a] verified must be true or false"}},
		"a limit in words":          {"[a]\nrate_limits = { token = \"many\" }\n", []string{":5: [a] rate_limits must be numbers"}},
		"a table with an accent":    {"[\"\u0131\"]\n", []string{"is not named by letters"}},
		"no TOML":                   {"[a\n", []string{"clients.toml:"}},
		"a table twice":             {good, []string{"clients.toml:4"}},
		"no name and no id":         {"[a]\nmode = \"production\"\n", []string{"clients.toml:4: [a] names no app"}},
		"an id of nobody":           {"[a]\nclient_id = \"client_01HXY00000000000000000000Z\"\n", []string{":5: [a] there is no client"}},
		"an ambiguous name":         {"[a]\nclient_name = \"Twice\"\n", []string{":5: [a] 2 apps have this name and owner"}},
		"an app in two tables":      {fmt.Sprintf("[a]\nclient_name = \"Third\"\n[b]\nclient_id = %q\n", app.ID), []string{"[b] is the same app as [a]"}},
		"a new app in two tables":   {"[a]\nclient_name = \"Good Labs\"\nredirect_uris = [\"https://a.example/cb\"]\n", []string{"[a] is the same app as [good]"}},
		"another type":              {"[a]\nclient_name = \"Third\"\nclient_type = \"public\"\n", []string{":6: [a] The type of a client is fixed"}},
		"an owner who is not there": {"[a]\nclient_name = \"A\"\nredirect_uris = [\"https://a.example/cb\"]\nowner = \"user_01HXY00000000000000000000Z\"\n", []string{":7: [a] There is no member"}},
		"half an agreement":         {"[a]\nclient_name = \"Third\"\nbaa_by = \"Grace Hopper\"\n", []string{"An agreement has a day and a signer"}},
		"no JSON for keys":          {"[a]\nclient_name = \"Third\"\njwks = \"{\"\n", []string{":6: [a] jwks is no JSON"}},
		"a key that is secret":      {"[a]\nclient_name = \"Third\"\njwks = '{\"keys\":[{\"kty\":\"oct\",\"k\":\"" + rand.Text() + "\"}]}'\n", []string{":6: [a] The key set (jwks) is refused: key 1 holds a private"}},
		"faults of every kind at once": {
			"[a]\nclient_name = \"L00p\"\nredirect_uris = [\"http://app.example.com/cb\"]\n[b]\nclient_name = \"Third\"\nmode = \"live\"\n",
			[]string{":5: [a] ", "reserved", ":6: [a] ", "Use https", ":9: [b] The mode is"},
		},
	} {
		_, faults, status := apply(t, p, good+c.file)
		for _, says := range c.says {
			if status != 1 || !strings.Contains(faults, says) {
				t.Errorf("%s: status %d, it does not say %q: %s", name, status, says, faults)
			}
		}
	}
	for file, says := range map[string]string{
		"# nothing\n":                           "names no app",
		"x = 1\n" + good:                        `\"x\" is in no table`,
		good + "#" + strings.Repeat("x", 1<<20): "larger than 512 KiB",
	} {
		if _, faults, status := apply(t, p, file); status != 1 || !strings.Contains(faults, says) {
			t.Errorf("%.20s: status %d, it does not say %q: %s", file, status, says, faults)
		}
	}
	if len(clients(t, p)) != before {
		t.Error("something was made")
	}
}

// failing makes one client and then fails.
type failing struct {
	admin.Clients
	made bool
}

func (f *failing) Create(ctx context.Context, c *loop.Client, by audit.Actor) (credential.Secret, error) {
	if f.made {
		return credential.Secret{}, errors.New("the disk is full")
	}
	f.made = true
	return f.Clients.Create(ctx, c, by)
}

// listed is a store that lists clients.
type listed struct {
	admin.Store
	clients func(context.Context) ([]*loop.Client, error)
}

func (l listed) Clients(ctx context.Context) ([]*loop.Client, error) { return l.clients(ctx) }

// TestApply_ShowsWhatItMadeWhereALaterAppFails: a secret is shown now or never.
func TestApply_ShowsWhatItMadeWhereALaterAppFails(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	commands := admin.NewCommands(admin.Operations{Clients: &failing{Clients: p.Clients}, Store: listed{clients: p.Clients.Store.Clients}})
	var out, faults bytes.Buffer
	file := "[a]\nclient_name = \"A Labs\"\nredirect_uris = [\"https://a.example/cb\"]\n[b]\nclient_name = \"B Labs\"\nredirect_uris = [\"https://b.example/cb\"]\n"
	status := commands(t.Context(), []string{"client", "apply", "-f", "clients.toml"}, strings.NewReader(file), &out, &faults)
	if status != 1 || strings.Count(out.String(), "client secret: ") != 1 || strings.Contains(out.String(), "b is made") {
		t.Errorf("status %d, it prints %s", status, out.String())
	}
	if says := faults.String(); !strings.Contains(says, "[b] was not applied, nor what comes after it") || !strings.Contains(says, "the disk is full") {
		t.Errorf("it says %s", says)
	}
}

// TestApply_TellsTheAppsOfDevelopersApart: a name is looked for at the owner that the
// file gives, or at nobody's apps.
func TestApply_TellsTheAppsOfDevelopersApart(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	hers := p.AddApp(t, func(c *loop.Client) { c.Name, c.Owner = "Labs", ada.ID })
	nobodys := p.AddApp(t, func(c *loop.Client) { c.Name = "Labs" })
	all, faults, status := apply(t, p, fmt.Sprintf("[a]\nclient_name = \"Labs\"\nowner = %q\n[b]\nclient_name = \"Labs\"\nrequire_nonce = true\n", ada.ID))
	if status != 0 || all[0].ID != hers.ID || all[0].Action != "none" || all[1].ID != nobodys.ID || !slices.Equal(all[1].fields(), []string{"require_nonce"}) {
		t.Errorf("status %d, %s, %v", status, faults, all)
	}
}

// A program chooses its name as it registers itself. It is not the app that a file means
// by that name, and gets nothing of what the file gives.
func TestSec436_AProgramThatRegisteredItselfIsNotTheAppOfAFile(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	stranger := p.AddApp(t, func(c *loop.Client) {
		c.Name, c.Mode, c.BAA, c.Verified = "Labs", loop.Development, nil, false
		c.Registration = loop.Registration{By: loop.RegisteredByItself, Token: make([]byte, 32)}
	})
	all, faults, status := apply(t, p, "[a]\nclient_name = \"Labs\"\nredirect_uris = [\"https://labs.example.com/cb\"]\nmode = \"production\"\nbaa_signed_on = \"2026-03-02\"\nbaa_by = \"Grace Hopper\"\nverified = true\n")
	if status != 0 || all[0].ID == stranger.ID || all[0].Action != "create" {
		t.Errorf("status %d, %s, %v", status, faults, all)
	}
	if c := client(t, p, stranger.ID); c.Verified || c.BAA != nil || c.Mode != loop.Development {
		t.Errorf("the stranger's program has %+v", c)
	}
}

// An app whose developer changed what Loop verified is verified by somebody who looks at
// it. A file that says verified, applied each night, looks at nothing.
func TestSec437_AFileVerifiesNoAppThatItsDeveloperChanged(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app := p.AddApp(t, func(c *loop.Client) {
		c.Name, c.Owner, c.HomePage = "Labs", ada.ID, "https://app.example.com/"
	})
	developer := audit.Actor{Kind: audit.ByMember, ID: string(ada.ID)}
	change := func(page string) {
		t.Helper()
		if _, err := p.Clients.Update(t.Context(), app.ID, developer, func(c *loop.Client) { c.HomePage = page }); err != nil {
			t.Fatal(err)
		}
	}
	change("https://evil.example/")
	file := fmt.Sprintf("[a]\nclient_name = \"Labs\"\nowner = %q\nverified = true\n", ada.ID)
	if _, faults, status := apply(t, p, file); status != 1 || !strings.Contains(faults, ":4: [a] Its developer changed what Loop had verified") {
		t.Errorf("status %d: %s", status, faults)
	}
	if c := client(t, p, app.ID); c.Verified || c.Review() == "" {
		t.Errorf("after the file: verified %v, review %q", c.Verified, c.Review())
	}
	if _, faults, status := apply(t, p, file+"client_uri = \"https://app.example.com/\"\n"); status != 0 {
		t.Errorf("a file that brings back what was verified: status %d: %s", status, faults)
	}
	if c := client(t, p, app.ID); !c.Verified || c.HomePage != "https://app.example.com/" {
		t.Errorf("brought back: verified %v, %s", c.Verified, c.HomePage)
	}
}
