package clients

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/registration/library/tried"
)

const results = "results.json"

func TestLibraries_WorkWithTheLinesThatThePortalShows(t *testing.T) {
	p := startPlatform(t)
	var all []tried.Library
	for _, c := range clients {
		if !inTurn(c.runtime) {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			got := p.try(t, c)
			if !t.Failed() {
				all = append(all, got)
			}
			if !*update {
				compare(t, got)
			}
		})
	}
	if *update && len(all) > 0 {
		if err := tried.Put(results, all); err != nil {
			t.Fatal(err)
		}
	}
}

// try tries a library in each way.
func (p *platform) try(t *testing.T, c client) tried.Library {
	t.Helper()
	got := tried.Library{ID: c.id, Date: time.Now().UTC().Format(time.DateOnly)}
	got.Readme, _, _ = p.tryOnce(t, c, byReadme)
	if c.switchesPKCE(t) {
		verdict, _, _ := p.tryOnce(t, c, withPKCE)
		got.PKCE = &verdict
	}
	got.Lines, got.Steps, got.Version = p.tryOnce(t, c, byLines)
	if !got.Lines.Works {
		t.Errorf("with the lines of the table it does not work: %+v", got.Lines)
	}
	return got
}

func (p *platform) tryOnce(t *testing.T, c client, way string) (tried.Verdict, tried.Steps, string) {
	t.Helper()
	a := p.start(t, c, way)
	defer a.Kill()
	verdict, steps := p.travel(t, a)
	t.Logf("%s: %+v %+v", way, verdict, steps)
	return verdict, steps, a.version
}

// compare holds what came of this run to what is written. What an app shows of an
// error is its library's text, and may differ by run.
func compare(t *testing.T, got tried.Library) {
	t.Helper()
	all, err := tried.Read(results)
	if err != nil {
		t.Fatal(err)
	}
	const again = "go test ./clients -update writes it anew, and go test ./internal/registration/library -update its page"
	want, ok := tried.Find(all, got.ID)
	if !ok {
		t.Fatalf("%s says nothing of %s: %s", results, got.ID, again)
	}
	if got.Version != want.Version || brief(got) != brief(want) {
		t.Errorf("%s says %s %s, and now it is %s %s: %s", filepath.Base(results), want.Version, brief(want), got.Version, brief(got), again)
	}
}

// brief is what may not change unseen: where each way ends.
func brief(l tried.Library) string {
	text := "by its README: " + ended(&l.Readme) + ", with PKCE: " + ended(l.PKCE) + ", by the lines: " + ended(&l.Lines)
	return text + ", refresh: " + l.Steps.Refresh + ", expiry: " + l.Steps.Expiry + ", disconnect: " + l.Steps.Disconnect
}

func ended(v *tried.Verdict) string {
	switch {
	case v == nil:
		return "no switch"
	case v.Works:
		return "works"
	default:
		return "fails at " + v.Step
	}
}
