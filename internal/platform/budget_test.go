package platform_test

import (
	"math"
	"net/http"
	"net/url"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// statementBudgets is how many SQL statements a request may run, those that begin
// and end its transactions among them. One more than here is a decision, and not
// an accident.
var statementBudgets = map[string]uint64{
	"introspect an access token":  0, // it opens, and what was revoked is in memory
	"introspect a refresh token":  3,
	"userinfo":                    1,
	"read lab results":            4, // the results, and a durable record
	"refresh":                     5, // what it rests on, the compare-and-set, the record
	"redeem a code":               6,
	"authorize, allowed before":   7,
	"prompt=none":                 7,
	"push a request":              3,
	"revoke an access token":      6,
	"revoke what is no token":     0, // what a stranger makes up reaches no database
	"a refresh token of nobody":   0,
	"an access token of nobody":   0,
	"discovery":                   0,
	"keys":                        0,
	"the sign-in page":            0,
	"a page of the documentation": 0,
}

// onPostgres is where an act takes more there: a transaction begins and takes its
// lock, and what all processes must know is sent and waited for. All that an act
// writes travels with its commit.
var onPostgres = map[string]uint64{
	"introspect a refresh token": 4,
	"refresh":                    6,
	"redeem a code":              7,
	"authorize, allowed before":  8,
	"prompt=none":                8,
	"revoke an access token":     9,
}

// hotPaths are the requests that budgets are about, each in its steady state.
func hotPaths(t testing.TB, p *platformtest.Platform) map[string]func() *platformtest.Response {
	t.Helper()
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b, stranger := p.NewBrowser(t), p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	refresh := tokens.Refresh
	other, third := p.AddApp(t, nil), p.AddApp(t, nil)
	codes := make(chan string, 16)
	for range cap(codes) {
		codes <- third.Code(b, ada)
	}
	victims := make(chan string, 16)
	for range cap(victims) {
		victims <- other.Redeem(other.Code(b, ada)).Pair(t).Access
	}
	ask := func(path string, form url.Values) func() *platformtest.Response {
		return func() *platformtest.Response { return app.Send(path, form, nil) }
	}
	silent := app.Request()
	silent.Set("prompt", "none")
	return map[string]func() *platformtest.Response{
		"introspect an access token": ask("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}),
		"introspect a refresh token": func() *platformtest.Response {
			return app.Send("/v1/oauth/introspect", url.Values{"token": {refresh}}, nil)
		},
		"userinfo":         func() *platformtest.Response { return p.UserInfo(t, tokens.Access) },
		"read lab results": func() *platformtest.Response { return p.Biomarkers(t, tokens.Access) },
		"refresh": func() *platformtest.Response {
			r := app.Refresh(refresh)
			refresh = r.Pair(t).Refresh
			return r
		},
		"redeem a code":             func() *platformtest.Response { return third.Redeem(<-codes) },
		"authorize, allowed before": func() *platformtest.Response { return b.Authorize(app.Request()) },
		"prompt=none":               func() *platformtest.Response { return b.Authorize(silent) },
		"push a request":            func() *platformtest.Response { return app.Send("/v1/oauth/par", app.Request(), nil) },
		"revoke an access token": func() *platformtest.Response {
			return other.Send("/v1/oauth/revoke", url.Values{"token": {<-victims}}, nil)
		},
		"revoke what is no token":   ask("/v1/oauth/revoke", url.Values{"token": {"lph_at_none"}}),
		"a refresh token of nobody": func() *platformtest.Response { return app.Refresh("lph_rt_none") },
		"an access token of nobody": func() *platformtest.Response { return p.Biomarkers(t, "lph_at_none") },
		"discovery": func() *platformtest.Response {
			return stranger.Get(platformtest.Identity + "/.well-known/openid-configuration")
		},
		"keys":                        func() *platformtest.Response { return stranger.Get(platformtest.Identity + "/.well-known/jwks.json") },
		"the sign-in page":            func() *platformtest.Response { return stranger.Get(platformtest.Identity + "/signin") },
		"a page of the documentation": func() *platformtest.Response { return stranger.Get(platformtest.Developers + "/docs") },
	}
}

// statements counts what runs in a database while something is done; counting is
// not free, which is taken off. Of several times the least counts: the platform
// does a little by itself, too.
func statements(t *testing.T, p *platformtest.Platform, do func()) uint64 {
	t.Helper()
	least := func(do func()) uint64 {
		fewest := uint64(math.MaxUint64)
		for range 15 {
			before := allStatements(t, p)
			do()
			fewest = min(fewest, allStatements(t, p)-before)
		}
		return fewest
	}
	return least(do) - least(func() {})
}

func allStatements(t *testing.T, p *platformtest.Platform) (run uint64) {
	t.Helper()
	for _, database := range p.Figures(t.Context()).Databases {
		run += database.Statements
	}
	return run
}

func TestBudget_NoRequestRunsMoreStatementsThanItsShare(t *testing.T) {
	p := platformtest.New(t)
	for name, do := range hotPaths(t, p) {
		budget, known := statementBudgets[name]
		if more, ok := onPostgres[name]; ok && platformtest.OnPostgres() {
			budget = more
		}
		if !known {
			t.Errorf("%s has no budget", name)
		}
		var last *platformtest.Response
		if run := statements(t, p, func() { last = do() }); run > budget {
			t.Errorf("%s runs %d statements, and its budget is %d", name, run, budget)
		}
		if last.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s: %d %s", name, last.StatusCode, last.Text)
		}
	}
}
