package clinical

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mcp"
)

// foundAtMost is how many biomarkers a search gives.
const foundAtMost = 20

// searchBiomarkers is the tool that searches the catalogue.
func (h *Host) searchBiomarkers(_ context.Context, call mcp.Call[caller]) (mcp.Answer, error) {
	var asked struct {
		Query string `json:"query"`
	}
	if err := readArguments(call.Arguments, &asked); err != nil {
		return mcp.Answer{}, err
	}
	words := strings.Fields(strings.ToLower(asked.Query))
	if len(words) == 0 {
		return mcp.Answer{}, loop.Errorf(loop.ValidationError, "The argument query is missing: send a part of a biomarker's name or code, such as glucose.")
	}
	var found struct {
		Biomarkers []catalogEntry `json:"biomarkers"`
		Count      int            `json:"count"` // of all that fit
	}
	found.Biomarkers = []catalogEntry{}
	var text strings.Builder
	for b := range h.Biomarkers.Catalogue.All() {
		if !holdsAll(strings.ToLower(b.Name+" "+string(b.Code)+" "+string(b.Category)), words) {
			continue
		}
		found.Count++
		if len(found.Biomarkers) < foundAtMost {
			found.Biomarkers = append(found.Biomarkers, newCatalogEntry(b))
			fmt.Fprintf(&text, "%s: code %s, category %s\n", b.Name, b.Code, b.Category)
		}
	}
	if found.Count == 0 {
		text.WriteString("No biomarker has all of these words in its name, code or category. Try one word.\n")
	}
	structured, err := json.Marshal(found)
	return mcp.Answer{Structured: structured, Text: strings.TrimSpace(text.String())}, err
}

func holdsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
