package loop

import "slices"

// maxNameEdits bounds the length of a name that is compared: nobody misspells a longer one.
const maxNameEdits = 64

// mostEdits is how many letters a misspelt name may differ by from what is meant: of a
// short one fewer, or any name would be near.
func mostEdits(name string) int { return min(3, max(1, len(name)/3)) }

// Suggestion names the known name that is nearest to one that is unknown, as the end of a
// sentence; empty where none is near.
func Suggestion(name string, known []string) string {
	if len(known) == 0 || len(name) > maxNameEdits {
		return ""
	}
	nearest := slices.MinFunc(known, func(a, b string) int { return Edits(name, a) - Edits(name, b) })
	if Edits(name, nearest) > mostEdits(name) {
		return ""
	}
	return " (did you mean " + nearest + "?)"
}
