package tomltext_test

import (
	"testing"

	"github.com/loop-health/loop/internal/tomltext"
)

func TestLine_FindsAKeyInItsTable(t *testing.T) {
	t.Parallel()
	text := []byte("top = 1\n\n[first]\nname = \"a\"\n[second-one]\n# a comment\nname = \"\"\"\nb\"\"\"\nlist = [\n  \"c\",\n]\n")
	for want, key := range map[int][]string{1: {"top"}, 4: {"first", "name"}, 8: {"second-one", "name"}, 9: {"second-one", "list"}, 0: {"first", "list"}} {
		if line := tomltext.Line(text, key...); line != want {
			t.Errorf("%v is in line %d, found in %d", key, want, line)
		}
	}
}
