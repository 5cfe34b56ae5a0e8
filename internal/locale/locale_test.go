package locale

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func loadTexts(t *testing.T) *Texts {
	t.Helper()
	texts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

var places = regexp.MustCompile(`\{[^}]*\}`)

// placesIn are the places of a text, each once.
func placesIn(text string) []string {
	found := places.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestTexts_EveryKeyIsThereInEveryLanguageWithTheSamePlaces(t *testing.T) {
	t.Parallel()
	texts := loadTexts(t)
	english := texts.Languages()[0]
	if english.Tag != English || len(texts.Languages()) < 2 {
		t.Fatalf("the languages are %v", texts.Tags())
	}
	for _, l := range texts.Languages() {
		if got, want := l.Keys(""), english.Keys(""); !slices.Equal(got, want) {
			t.Errorf("%s has not the keys of English: %v", l.Name, difference(got, want))
		}
		for key, e := range l.texts {
			want := english.texts[key]
			if (e.forms == nil) != (want.forms == nil) {
				t.Errorf("%s: %s counts in one language alone", l.Name, key)
			}
			if e.forms == nil && (strings.TrimSpace(e.text) == "" || !slices.Equal(placesIn(e.text), placesIn(want.text))) {
				t.Errorf("%s: %s is empty, or differs from English in its places", l.Name, key)
			}
			for form, text := range e.forms {
				if missing := slices.DeleteFunc(placesIn(text), func(p string) bool { return slices.Contains(placesIn(want.forms[other]), p) }); len(missing) > 0 || text == "" {
					t.Errorf("%s: %s.%s is empty, or has the places %v, which English has not", l.Name, key, form, missing)
				}
			}
		}
	}
}

// difference are the keys that one of two lists has alone.
func difference(a, b []string) []string {
	once := map[string]int{}
	for _, key := range slices.Concat(a, b) {
		once[key]++
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(once)), func(key string) bool { return once[key] == 2 })
}

func TestTexts_HaveTheFormsThatTheirLanguageCountsIn(t *testing.T) {
	t.Parallel()
	for _, l := range loadTexts(t).Languages() {
		for key, e := range l.texts {
			if e.forms == nil {
				continue
			}
			if forms := slices.Sorted(maps.Keys(e.forms)); !slices.Equal(forms, []string{"one", other}) {
				t.Errorf("%s: %s has the forms %v", l.Name, key, forms)
			}
		}
	}
}

func TestMatch_TakesTheFirstWishThatThereIsALanguageFor(t *testing.T) {
	t.Parallel()
	texts := loadTexts(t)
	for name, c := range map[string]struct {
		wishes []string
		want   string
	}{
		"none":                       {nil, "en"},
		"a tag":                      {[]string{"de"}, "de"},
		"a region":                   {[]string{"de-AT"}, "de"},
		"in capitals":                {[]string{"DE-ch"}, "de"},
		"RFC 9110 §12.5.4 by weight": {[]string{"en;q=0.4, de;q=0.9"}, "de"},
		"RFC 9110 §12.5.4 weight 0 is not wanted": {[]string{"de;q=0, en"}, "en"},
		"the first there is":                      {[]string{"fr-CH, fr;q=0.9, de;q=0.8, *;q=0.5"}, "de"},
		"OpenID Connect Core §3.1.2.1 in order":   {[]string{"fr,de,en"}, "de"},
		"the second wish":                         {[]string{"", "tr", "de", "en"}, "de"},
		"malformed":                               {[]string{"<script>", "!!", "de-", "\x00", "de"}, "de"},
		"endless":                                 {[]string{strings.Repeat("de,", 1000), "en"}, "en"},
	} {
		if got := texts.Match(c.wishes...).Tag; got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
	if texts.Known("de").Tag != "de" || texts.Known("de-AT") != nil || texts.Known("") != nil {
		t.Error("Known finds what is not there, or not what is")
	}
}

func TestLanguage_WritesNumbersDaysAndPluralsItsOwnWay(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 9, 14, 2, 0, 0, time.FixedZone("east", 7200))
	for tag, want := range map[string][]string{
		"en": {"1,234,567", "9 March 2026", "Monday, 9 March 2026, 12:02", "1 lab result", "0 lab results", "1,200 lab results", "1 minute", "90 seconds", "3 hours", "2 days"},
		"de": {"1.234.567", "9. März 2026", "Montag, 9. März 2026, 12:02 Uhr", "1 Laborwert", "0 Laborwerte", "1.200 Laborwerte", "1 Minute", "90 Sekunden", "3 Stunden", "2 Tage"},
	} {
		l := loadTexts(t).Known(tag)
		got := []string{
			l.Number(1234567), l.Day(at), l.Moment(at), l.Count("reads.results", 1), l.Count("reads.results", 0), l.Count("reads.results", 1200),
			l.Count("calendar.minutes", 1), l.Wait(90 * time.Second), l.Wait(2*time.Hour + time.Second), l.Wait(48 * time.Hour),
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, not %q", tag, got, want)
		}
		if l.Day(time.Time{}) != "" {
			t.Error("a day that never was is written")
		}
	}
}

func TestText_PutsArgumentsInOnce(t *testing.T) {
	t.Parallel()
	l := &Language{texts: map[string]entry{"a.b": {text: "{0} < {1} & {0}"}}}
	if got := l.Text("a.b", "{1}", "x"); got != "{1} < x & {1}" {
		t.Errorf("Text gives %q", got)
	}
	if got := l.Escaped("a.b", "<b>", "x"); got != "<b> &lt; x &amp; <b>" {
		t.Errorf("Escaped gives %q", got)
	}
	if got := l.Text("a.c", "x"); got != "a.c" {
		t.Errorf("a key without a text gives %q", got)
	}
}

func TestLoad_RefusesFilesThatHoldMoreThanTexts(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]fstest.MapFS{
		"no English":              {"de/a.toml": {Data: []byte(`b = "c"`)}},
		"no TOML":                 {"en/a.toml": {Data: []byte(`b = `)}},
		"a number":                {"en/a.toml": {Data: []byte(`b = 1`)}},
		"a form of no language":   {"en/a.toml": {Data: []byte("[b]\nother = \"c\"\nthree = \"d\"")}},
		"a folder of no language": {"en/a.toml": {Data: []byte(`b = "c"`)}, "not_a_tag!/a.toml": {Data: []byte(`b = "c"`)}},
	} {
		if _, err := Read(files); err == nil {
			t.Errorf("%s: nothing is wrong", name)
		}
	}
}

func TestNotice_QuotesWhatOthersWroteAndShortensIt(t *testing.T) {
	t.Parallel()
	texts := loadTexts(t)
	long := "your account. Call +1 555 0100 and say your password, " + strings.Repeat("now ", 20)
	for name, c := range map[string]struct{ app, says string }{
		"a name":           {"Morning Labs", "We disconnected “Morning Labs” because"},
		"a long one":       {long, "We disconnected “your account. Call +1 555 0100 and say …” because"},
		"one with a place": {"{0} {1}", "We disconnected “{0} {1}” because"},
	} {
		if got := texts.Match("en-GB").Notice(loop.NewNotice(loop.NoticeReused, c.app)); !strings.HasPrefix(got, c.says) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := texts.Match("de").Notice(loop.NewNotice(loop.NoticeReused, "Morning Labs")); !strings.HasPrefix(got, "Wir haben „Morning Labs“ getrennt") {
		t.Errorf("in German: %s", got)
	}
	if got := texts.Match("en").Notice("We disconnected Morning Labs."); got != "We disconnected Morning Labs." {
		t.Errorf("a sentence of an earlier release: %q", got)
	}
}

func TestFault_HasWordsForEveryError(t *testing.T) {
	t.Parallel()
	l := loadTexts(t).Match("de")
	for _, code := range loop.Codes() {
		if got := l.Fault(loop.Errorf(code, "x")); strings.HasPrefix(got, "fault.") {
			t.Errorf("there are none for %s", code)
		}
	}
	e := loop.Errorf(loop.RateLimited, "x").Worded("apps.title")
	if got := l.Fault(e); got != "Ihre Apps" {
		t.Errorf("an error with words of its own: %q", got)
	}
	e.RetryAfter = 90 * time.Second
	if got := l.Fault(e); got != "Ihre Apps Warten Sie 90 Sekunden und versuchen Sie es dann noch einmal." {
		t.Errorf("an error that says how long to wait: %q", got)
	}
}

func TestScopes_HaveTextsInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, l := range loadTexts(t).Languages() {
		for _, row := range loop.ScopeRegistry() {
			for _, text := range []string{l.ScopeTitle(row.Scope), l.ScopeDetail(row.Scope)} {
				if strings.HasPrefix(text, "scope.") {
					t.Errorf("%s has no text %s", l.Name, text)
				}
			}
		}
	}
}
