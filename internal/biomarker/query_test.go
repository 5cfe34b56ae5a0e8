package biomarker

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/loop"
)

func TestParseQueryReadsEveryParameter(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment.UTC()
	}
	for query, want := range map[string]Query{
		"":                                   {System: Conventional, Limit: 100},
		"code=tsh":                           {System: Conventional, Limit: 100, Codes: []Code{"tsh"}},
		"code=tsh&code=apob&code=tsh":        {System: Conventional, Limit: 100, Codes: []Code{"apob", "tsh"}},
		"category=tumour-markers":            {System: Conventional, Limit: 100, Category: "tumour-markers"},
		"status=low&status=critical":         {System: Conventional, Limit: 100, Statuses: []Status{Critical, Low}},
		"from=2026-03-02":                    {System: Conventional, Limit: 100, From: at("2026-03-02T00:00:00Z")},
		"to=2026-03-02T08:15:00Z":            {System: Conventional, Limit: 100, To: at("2026-03-02T08:15:00Z")},
		"from=2026-03-02T08:15:00%2B02:00":   {System: Conventional, Limit: 100, From: at("2026-03-02T06:15:00Z")},
		"from=2026-03-02T08:15:00.0000001Z":  {System: Conventional, Limit: 100, From: at("2026-03-02T08:15:00.000001Z")},
		"from=2026-03-02&to=2026-03-03":      {System: Conventional, Limit: 100, From: at("2026-03-02T00:00:00Z"), To: at("2026-03-03T00:00:00Z")},
		"latest=true":                        {System: Conventional, Limit: 100, Latest: true},
		"latest=false":                       {System: Conventional, Limit: 100},
		"unit_system=conventional":           {System: Conventional, Limit: 100},
		"unit_system=si":                     {System: SI, Limit: 100},
		"limit=1":                            {System: Conventional, Limit: 1},
		"limit=500":                          {System: Conventional, Limit: 500},
		"cursor=abc":                         {System: Conventional, Limit: 100, Cursor: "abc"},
		"colour=blue&utm_source=x":           {System: Conventional, Limit: 100},
		"code=tsh&category=lipids&limit=100": {System: Conventional, Limit: 100, Codes: []Code{"tsh"}, Category: "lipids"},
	} {
		t.Run(query, func(t *testing.T) {
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := catalogue(t).ParseQuery(values)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestParseQueryRefusesAndNamesTheParameter(t *testing.T) {
	for query, field := range map[string]string{
		"code=":                                  "code",
		"code=TSH":                               "code",
		"code=tsh,apob":                          "code",
		"code=tsh&code=nothing":                  "code",
		"code=%00":                               "code",
		"category=":                              "category",
		"category=blood":                         "category",
		"category=lipids&category=iron":          "category",
		"status=":                                "status",
		"status=fine":                            "status",
		"status=low,high":                        "status",
		"status=low&status=Normal":               "status",
		"from=":                                  "from",
		"from=yesterday":                         "from",
		"from=2026-02-30":                        "from",
		"from=2026-3-2":                          "from",
		"from=02.03.2026":                        "from",
		"from=1772400000":                        "from",
		"from=2026-03-02T08:15":                  "from",
		"from=2026-03-02T8:15:00Z":               "from",
		"from=2026-03-02T08:15:00":               "from",
		"from=2026-03-02T08:15:00,5Z":            "from",
		"from=2026-03-02T08:15:00+02:00":         "from",
		"from=1899-12-31":                        "from",
		"from=20260-03-02":                       "from",
		"from=2026-03-02&from=2026-03-02":        "from",
		"to=":                                    "to",
		"to=tomorrow":                            "to",
		"to=2026-03-02&to=2026-03-03":            "to",
		"from=2026-03-02&to=2026-03-02":          "to",
		"from=2026-03-02&to=2026-03-01":          "to",
		"latest=":                                "latest",
		"latest=1":                               "latest",
		"latest=True":                            "latest",
		"latest=true&latest=true":                "latest",
		"unit_system=":                           "unit_system",
		"unit_system=SI":                         "unit_system",
		"unit_system=imperial":                   "unit_system",
		"unit_system=si&unit_system=si":          "unit_system",
		"limit=":                                 "limit",
		"limit=0":                                "limit",
		"limit=-1":                               "limit",
		"limit=501":                              "limit",
		"limit=1000000000":                       "limit",
		"limit=99999999999999999999":             "limit",
		"limit=10.5":                             "limit",
		"limit=0x10":                             "limit",
		"limit=%2B5":                             "limit",
		"limit=010":                              "limit",
		"limit=all":                              "limit",
		"limit=5&limit=5":                        "limit",
		"cursor=":                                "cursor",
		"cursor=a&cursor=a":                      "cursor",
		"cursor=" + strings.Repeat("A", 10<<10):  "cursor",
		"cursor=' OR 1=1 --":                     "cursor",
		"cursor=../../etc":                       "cursor",
		"cursor=bmk_01KAXYZ0000000000000000000A": "cursor",
	} {
		t.Run(query[:min(len(query), 60)], func(t *testing.T) {
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			q, err := catalogue(t).ParseQuery(values)
			if err == nil { // a cursor is judged where the member is known
				_, err = position(credentialtest.NewTagger(t), "user_A", &q)
			}
			fault := loop.AsError(err)
			if err == nil || fault.Code != loop.ValidationError || fault.Field != field || fault.Description == "" {
				t.Fatalf("the fault is %+v, want a validation_error of %s", fault, field)
			}
			if strings.ContainsAny(fault.Description, "\"\\\x00\r\n") {
				t.Errorf("the description %q cannot stand in a header", fault.Description)
			}
		})
	}
}

func TestQueryFiltersNamesNoValues(t *testing.T) {
	q, err := catalogue(t).ParseQuery(url.Values{
		"code": {"tsh"}, "category": {"thyroid"}, "status": {"high"}, "from": {"2026-01-01"}, "to": {"2026-02-01"}, "latest": {"true"}, "limit": {"7"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"code", "category", "status", "from", "to", "latest"}, q.Filters()); diff != "" {
		t.Error(diff)
	}
}

// FuzzParseQuery: whatever is accepted lies within the bounds and has a cursor
// that is read back.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"code=tsh&status=high", "from=2026-03-02&to=2026-03-03T00:00:00Z", "limit=500&latest=true", "unit_system=si", "cursor=x", "limit=-1&limit=2", "code=%00"} {
		f.Add(seed)
	}
	c := catalogue(f)
	cursors := credentialtest.NewTagger(f)
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q, err := c.ParseQuery(values)
		if err != nil {
			if fault := loop.AsError(err); fault.Code != loop.ValidationError || fault.Field == "" {
				t.Fatalf("%q is refused as %v", query, err)
			}
			return
		}
		if q.Limit < 1 || q.Limit > MaxLimit || !q.To.IsZero() && !q.From.Before(q.To) {
			t.Fatalf("%q is read as %+v", query, q)
		}
		place := Position{CollectedAt: time.UnixMicro(1_772_439_300_000_000).UTC(), ID: "bmk_01KAXYZ0000000000000000000", Arrival: 3}
		q.Cursor = cursorFor(cursors, place, "user_A", &q)
		if back, err := position(cursors, "user_A", &q); err != nil || back != place {
			t.Fatalf("the cursor of %q gives %+v, %v", query, back, err)
		}
	})
}
