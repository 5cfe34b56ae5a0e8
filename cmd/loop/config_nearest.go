package main

import (
	"slices"

	"github.com/loop-health/loop/internal/loop"
)

// mostEdits is how many letters a misspelt name may differ by from what is meant: of a
// short one fewer, or any name would be near.
func mostEdits(name string) int { return min(3, max(1, len(name)/3)) }

// suggestion names the known name that is nearest to one that is unknown; empty where
// none is near.
func suggestion(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	nearest := slices.MinFunc(known, func(a, b string) int { return loop.Edits(name, a) - loop.Edits(name, b) })
	if loop.Edits(name, nearest) > mostEdits(name) {
		return ""
	}
	return " (did you mean " + nearest + "?)"
}
