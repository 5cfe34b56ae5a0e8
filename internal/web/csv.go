package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// WriteCSV answers with rows as a file of RFC 4180, the names of the columns first.
// Cells that come from people MUST have passed InertCell.
func WriteCSV(w http.ResponseWriter, name string, rows [][]string) error {
	var body bytes.Buffer
	out := csv.NewWriter(&body)
	out.UseCRLF = true // RFC 4180 §2
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	WriteFile(w, "text/csv; charset=utf-8; header=present", name, body.Bytes())
	return nil
}

// WriteFile answers with a file that browsers save under a name.
func WriteFile(w http.ResponseWriter, kind, name string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // whoever asked may have gone
}

// InertCell keeps spreadsheets from taking a text for a formula: they look at its
// first character.
func InertCell(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return text
	}
	return "'" + text
}
