package platformtest_test

import (
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestHoldsJWT(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	issued := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t).ID
	for text, want := range map[string]bool{
		issued:                                    true,
		"a.b." + issued:                           true,
		"https://x.example/?t=" + issued:          true,
		`{"id_token":"` + issued + `"}`:           true,
		issued[:strings.LastIndex(issued, ".")+1]: true, // its signature cut off
		"":                            false,
		"eyJ":                         false,
		"lph_at_xyeyJabc":             false,
		"www.app.example.com":         false,
		strings.Split(issued, ".")[0]: false, // a header alone
	} {
		if got := platformtest.HoldsJWT(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
