package account_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

const importPage = platformtest.Identity + "/account/results/import"

// upload sends the import page's form as a browser does.
func upload(t *testing.T, b *platformtest.Browser, page *platformtest.Response, file string, more url.Values) *platformtest.Response {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields := url.Values{"csrf": {page.Field("csrf")}}
	for name, values := range more {
		fields[name] = values
	}
	for name, values := range fields {
		for _, value := range values {
			if err := form.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	part, err := form.CreateFormFile("file", "labs.ndjson")
	if err == nil {
		_, err = part.Write([]byte(file))
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, importPage, &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Origin", platformtest.Identity)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	return b.Do(req)
}

// observed is a synthetic Observation.
func observed(patient, loinc, value string) string {
	return `{"resourceType":"Observation","id":"` + loinc + `","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"` + loinc + `"}]},` +
		`"subject":{"reference":"Patient/` + patient + `"},"effectiveDateTime":"2025-03-02","valueQuantity":{"value":` + value + `,"unit":"mIU/L"}}`
}

func TestImport_AMemberSeesWhatIsInAFileBeforeItIsKept(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.SignedIn(t, p.AddMember(t, "Ada"))
	file := observed("p", "3016-3", "2.40") + "\n" + observed("p", "99999-9", "7")
	preview := upload(t, b, b.Get(importPage), file, nil)
	for _, says := range []string{"New results: 1", "which wait: 1", "line 2", "99999-9", "Nothing has been kept yet"} {
		if !strings.Contains(preview.Text, says) {
			t.Errorf("the preview does not say %q: %d %s", says, preview.StatusCode, preview.Text)
		}
	}
	again := upload(t, b, b.Get(importPage), file, nil)
	if !strings.Contains(again.Text, "New results: 1") {
		t.Errorf("a preview kept something: %s", again.Text)
	}
	sealed := url.Values{"sealed": {preview.Field("sealed")}}
	if kept := upload(t, b, preview, "", sealed); !strings.Contains(kept.Text, "The file was added. New results: 1.") {
		t.Errorf("keeping it is answered %d %s", kept.StatusCode, kept.Text)
	}
	if twice := upload(t, b, preview, "", sealed); !strings.Contains(twice.Text, "New results: 0") || !strings.Contains(twice.Text, "already have: 1") {
		t.Errorf("keeping it twice is answered %d %s", twice.StatusCode, twice.Text)
	}
}

func TestImport_WhatCanNotBeImportedIsSaidOnThePage(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.SignedIn(t, p.AddMember(t, "Ada"))
	page := b.Get(importPage)
	for name, test := range map[string]struct{ file, says string }{
		"no file":      {"", "Choose a file first."},
		"two patients": {observed("p", "3016-3", "1") + "\n" + observed("q", "3016-3", "1"), "several patients"},
		"cut off":      {observed("p", "3016-3", "1")[:50], "Nothing was kept."},
		"too large":    {strings.Repeat(" ", 1<<20+1), "larger than 1 MB"},
	} {
		if r := upload(t, b, page, test.file, nil); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, test.says) {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Text)
		}
	}
	if r := upload(t, b, page, strings.Repeat(" ", 2<<20), nil); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("far too much is answered %d", r.StatusCode)
	}
	if r := upload(t, b, page, observed("p", "3016-3", "1"), url.Values{"csrf": {"another"}}); r.StatusCode < 400 {
		t.Errorf("without the form's token it is answered %d", r.StatusCode)
	}
	if r := p.NewBrowser(t).Get(importPage).Redirected(t); r.Path != "/signin" {
		t.Errorf("a stranger is led to %s", r)
	}
}

// TestSec344_APreviewIsKeptByItsMemberAlone: the file that a page carries is sealed for
// the member who sent it, and for an hour.
func TestSec344_APreviewIsKeptByItsMemberAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, ben := p.SignedIn(t, p.AddMember(t, "Ada")), p.SignedIn(t, p.AddMember(t, "Ben"))
	preview := upload(t, ada, ada.Get(importPage), observed("p", "3016-3", "2.40"), nil)
	sealed := url.Values{"sealed": {preview.Field("sealed")}}
	if strings.Contains(preview.Text, "2.40") {
		t.Error("the page shows the file")
	}
	if r := upload(t, ben, ben.Get(importPage), "", sealed); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "preview is over") {
		t.Errorf("another member keeps it: %d", r.StatusCode)
	}
	if r := upload(t, ada, preview, "", url.Values{"sealed": {preview.Field("sealed") + "A"}}); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a changed one is answered %d", r.StatusCode)
	}
	p.World.Advance(time.Hour + time.Minute)
	if r := upload(t, ada, ada.Get(importPage), "", sealed); r.StatusCode != http.StatusBadRequest {
		t.Errorf("after an hour it is answered %d", r.StatusCode)
	}
}
