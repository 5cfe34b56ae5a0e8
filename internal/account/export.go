package account

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// exportedRead is a read in the file that a member downloads.
type exportedRead struct {
	At       string        `json:"at"` // RFC 3339
	App      string        `json:"app"`
	ClientID loop.ClientID `json:"client_id"`
	GrantID  loop.GrantID  `json:"grant_id"`
	Results  int           `json:"results"`
}

// exportPage is how many reads are held in memory at once.
const exportPage = 1000

// export hands all that the record has of the member to each page by page.
func (h *Host) export(r *http.Request, m *loop.Member, each func(rows []exportedRead, last bool) error) error {
	var after connection.ReadPlace
	for {
		page, err := h.Connections.Activity(r.Context(), m.ID, "", after, exportPage)
		if err != nil {
			return err
		}
		names, err := h.names(r.Context(), page.Reads)
		if err != nil {
			return err
		}
		rows := make([]exportedRead, len(page.Reads))
		for i := range page.Reads {
			read := &page.Reads[i]
			rows[i] = exportedRead{read.At().Format(time.RFC3339), names[read.Client], read.Client, read.Grant, read.Count}
		}
		after = page.Next
		if err := each(rows, after.IsZero()); err != nil || after.IsZero() {
			return err
		}
	}
}

// exportJSON answers GET /account/activity.json.
func (h *Host) exportJSON(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	separator := `{"reads":[` + "\n"
	return h.file(w, r, m, "application/json", "who-read-what.json", func(out io.Writer, rows []exportedRead, last bool) error {
		for _, row := range rows {
			text, err := json.Marshal(row)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(out, separator+string(text)); err != nil {
				return err
			}
			separator = ",\n"
		}
		if !last {
			return nil
		}
		_, err := io.WriteString(out, strings.TrimPrefix(separator, ",\n")+"\n]}\n") // without a read, the beginning is still to come
		return err
	})
}

// exportCSV answers GET /account/activity.csv.
func (h *Host) exportCSV(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	lines := [][]string{{"at", "app", "client_id", "grant_id", "results"}}
	return h.file(w, r, m, web.CSVType, "who-read-what.csv", func(out io.Writer, rows []exportedRead, _ bool) error {
		table := csv.NewWriter(out)
		table.UseCRLF = true // RFC 4180 §2
		for _, read := range rows {
			lines = append(lines, []string{read.At, web.InertCell(read.App), string(read.ClientID), string(read.GrantID), strconv.Itoa(read.Results)})
		}
		err := table.WriteAll(lines)
		lines = nil
		return err
	})
}

// file answers with a file that is written page by page. A failure before the first
// page is an error like any other.
func (h *Host) file(w http.ResponseWriter, r *http.Request, m *loop.Member, kind, name string, write func(out io.Writer, rows []exportedRead, last bool) error) error {
	begun := false
	err := h.export(r, m, func(rows []exportedRead, last bool) error {
		if !begun {
			web.BeginFile(w, kind, name)
			begun = true
		}
		return write(w, rows, last)
	})
	if err != nil && begun {
		return web.CutFile(r, err)
	}
	return err
}
