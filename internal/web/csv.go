package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
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
	BeginFile(w, CSVType, name)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	_, _ = w.Write(body.Bytes()) // whoever asked may have gone
	return nil
}

// CSVType is the media type of RFC 4180, with a header line.
const CSVType = "text/csv; charset=utf-8; header=present"

// BeginFile begins an answer that browsers save under a name.
func BeginFile(w http.ResponseWriter, kind, name string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
}

// CutFile ends a file that is written as it is read, where that failed half way: the
// connection is cut, so that nobody takes a part for the whole.
func CutFile(r *http.Request, err error) error {
	NoteError(r.Context(), loop.AsError(err))
	panic(http.ErrAbortHandler)
}

// InertCell keeps spreadsheets from taking a text for a formula: they look at its
// first character.
func InertCell(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return text
	}
	return "'" + text
}
