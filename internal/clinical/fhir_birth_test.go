package clinical_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPatientHasTheBirthDateWhereItIsKnown(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.identity.born[anna] = time.Date(1980, 2, 29, 0, 0, 0, 0, time.UTC)
	for token, has := range map[string]bool{annasToken: true, bensToken: false} {
		w := h.send(http.MethodGet, "/fhir/Patient", token)
		if got := strings.Contains(w.Body.String(), `"birthDate":"1980-02-29"`); w.Code != http.StatusOK || got != has || strings.Contains(w.Body.String(), "birthDate") != has {
			t.Errorf("it is answered %d %s", w.Code, w.Body)
		}
	}
}
