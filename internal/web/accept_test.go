package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

func TestNegotiate_RFC9110_12_5_1(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                   "application/json",
		"*/*":                                "application/json",
		"application/json":                   "application/json",
		"text/csv":                           "text/csv",
		"TEXT/CSV":                           "text/csv",
		"text/*":                             "text/csv",
		"text/csv, application/json;q=0.9":   "text/csv",
		"text/csv;q=0.8,application/json":    "application/json",
		"text/html,*/*;q=0.1":                "application/json",
		"application/json;q=0, */*":          "text/csv",
		"text/csv;charset=utf-8":             "text/csv",
		"application/json, text/plain, */*":  "application/json",
		"text/html":                          "",
		"application/json;q=0":               "",
		"application/fhir+json":              "",
		"application/json;q=2, text/csv;q=x": "application/json", // nothing well-formed was sent
		",,":                                 "application/json",
	} {
		t.Run(accept, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			if accept != "" {
				r.Header.Set("Accept", accept)
			}
			got, err := web.Negotiate(r, "application/json", "text/csv")
			if got != want {
				t.Errorf("it is answered as %q, want %q", got, want)
			}
			if want == "" && (loop.AsError(err).Code != loop.NotAcceptable || !strings.Contains(loop.AsError(err).Description, "application/json and text/csv")) {
				t.Errorf("the fault is %v", err)
			}
		})
	}
}
