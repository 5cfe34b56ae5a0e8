package locale

import (
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

// keys are all that there are.
var keys = []string{loop.NoticeReused}

func TestTexts_EveryKeyIsThereInEveryLanguage(t *testing.T) {
	t.Parallel()
	texts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, there := texts.byLanguage[English]; !there {
		t.Fatal("English is not there")
	}
	for language, all := range texts.byLanguage {
		for _, key := range keys {
			if strings.TrimSpace(all[key]) == "" {
				t.Errorf("%s has no text for %s", language, key)
			}
		}
		for key := range all {
			if !slices.Contains(keys, key) {
				t.Errorf("%s has a text for %s, which nothing uses", language, key)
			}
			for _, place := range []string{"{0}", "{1}"} {
				if strings.Contains(all[key], place) != strings.Contains(texts.byLanguage[English][key], place) {
					t.Errorf("%s of %s differs from English in %s", key, language, place)
				}
			}
		}
	}
}

func TestNotice_QuotesWhatOthersWroteAndShortensIt(t *testing.T) {
	t.Parallel()
	texts, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	long := "your account. Call +1 555 0100 and say your password, " + strings.Repeat("now ", 20)
	for name, c := range map[string]struct{ app, says string }{
		"a name":           {"Morning Labs", "We disconnected “Morning Labs” because"},
		"a long one":       {long, "We disconnected “your account. Call +1 555 0100 and say …” because"},
		"one with a place": {"{0} {1}", "We disconnected “{0} {1}” because"},
	} {
		for _, tag := range []string{"en", "en-GB", "xx", ""} {
			if got := texts.Notice(tag, loop.NewNotice(loop.NoticeReused, c.app)); !strings.HasPrefix(got, c.says) {
				t.Errorf("%s in %q: %s", name, tag, got)
			}
		}
	}
	if got := texts.Notice("en", "We disconnected Morning Labs."); got != "We disconnected Morning Labs." {
		t.Errorf("a sentence of an earlier release: %q", got)
	}
}
