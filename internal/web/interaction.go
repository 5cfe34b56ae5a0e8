package web

import (
	"net/http"
	"strings"
)

const interactionHeader = "X-Fapi-Interaction-Id"

// repeatInteraction repeats an x-fapi-interaction-id to its sender, in the one
// form that it has: a UUID (FAPI 1.0 Baseline §6.2.1).
func repeatInteraction(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get(interactionHeader); isUUID(id) {
		w.Header().Set(interactionHeader, id)
	}
}

func isUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, r := range id {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}
