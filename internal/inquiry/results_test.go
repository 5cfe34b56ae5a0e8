//go:build unix

package inquiry_test

import (
	"archive/zip"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/inquiry"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// What clinical keeps is all there where identity asks for it: page by page, by the same
// selection, and whole for a download.
func TestResults_AreTheSameFromAnotherProcess(t *testing.T) {
	t.Parallel()
	d := divide(t)
	value, err := biomarker.ParseDecimal("2.40")
	if err != nil {
		t.Fatal(err)
	}
	many := make([]biomarker.Result, 450)
	for i := range many {
		many[i] = biomarker.Result{
			ID: loop.NewResultID(d.identity.World), Code: "tsh", Value: value, Unit: "m[IU]/L", Source: "quest",
			CollectedAt: d.identity.World.Now().Add(time.Duration(-i) * time.Hour), ParsedAt: d.identity.World.Now(),
		}
	}
	if err := d.clinical.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, d.member.ID, many); err != nil {
		t.Fatal(err)
	}
	b := d.identity.SignedIn(t, d.member)
	list := b.Get(platformtest.Identity + "/account/results")
	if !strings.Contains(list.Text, "HDL cholesterol") || !strings.Contains(list.Text, "2.40") || !strings.Contains(list.Text, "Low") {
		t.Errorf("the member's results: %d %s", list.StatusCode, list.Text)
	}
	if history := b.Get(platformtest.Identity + "/account/results/tsh"); !strings.Contains(history.Text, "100 results from") || !strings.Contains(history.Text, `id="older"`) {
		t.Errorf("the history: %d", history.StatusCode)
	}
	file := b.Get(platformtest.Identity + "/account/privacy/download")
	archive, err := zip.NewReader(strings.NewReader(file.Text), int64(len(file.Text)))
	if err != nil {
		t.Fatal(err)
	}
	table, err := archive.Open("lab-results.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := io.ReadAll(table)
	if count := strings.Count(string(rows), "bmk_"); err != nil || count != len(many)+1 {
		t.Errorf("the download has %d results: %v", count, err)
	}
}

func TestResults_OneIsFoundFromAnotherProcess(t *testing.T) {
	t.Parallel()
	d := divide(t)
	clinical, err := url.Parse(platformtest.Clinical)
	if err != nil {
		t.Fatal(err)
	}
	ask := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		response := d.clinical.Fetch(t, r.Method, r.URL.String(), r.Header)
		response.Body = io.NopCloser(strings.NewReader(response.Text))
		return response.Response, nil
	})}
	results := inquiry.NewResultsClient(clinical, ask, d.identity.World, d.identity.OAuth.Ring)
	found, err := results.FindResult(t.Context(), d.member.ID, "bmk_01KAXYZ0000000000000000000")
	if err != nil || found.Value.String() != "45" || found.Code != "hdl-c" {
		t.Errorf("it is %+v, %v", found, err)
	}
	if _, err := results.FindResult(t.Context(), loop.NewMemberID(d.identity.World), "bmk_01KAXYZ0000000000000000000"); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("for another member: %v", err)
	}
}

// Lab results are answered to who has the ring, and to nobody else.
func TestSec422_ResultsAreAnsweredOnlyToWhoHasTheRing(t *testing.T) {
	t.Parallel()
	d := divide(t)
	for _, path := range []string{"/internal/results/list/e30", "/internal/results/one/e30"} {
		for _, authorization := range []string{"", "Bearer " + d.tokens.Access, "Loop-Inquiry AAAA"} {
			r := d.clinical.Fetch(t, http.MethodGet, platformtest.Clinical+path, http.Header{"Authorization": {authorization}})
			if r.StatusCode != http.StatusNotFound || strings.Contains(r.Text, "hdl-c") {
				t.Errorf("%s with %q: %d %s", path, authorization, r.StatusCode, r.Text)
			}
		}
	}
}
