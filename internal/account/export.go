package account

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
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

// exportPage is how many reads are read at once for an export.
const exportPage = 1000

// exported reads all that the record has of the member.
func (h *Host) exported(r *http.Request, m *loop.Member) ([]exportedRead, error) {
	all := []exportedRead{}
	var after connection.ReadPlace
	for {
		page, err := h.Connections.Activity(r.Context(), m.ID, "", after, exportPage)
		if err != nil {
			return nil, err
		}
		names, err := h.names(r.Context(), page.Reads)
		if err != nil {
			return nil, err
		}
		for i := range page.Reads {
			read := &page.Reads[i]
			all = append(all, exportedRead{read.At().Format(time.RFC3339), names[read.Client], read.Client, read.Grant, read.Count})
		}
		if after = page.Next; after.IsZero() {
			return all, nil
		}
	}
}

// exportJSON answers GET /account/activity.json.
func (h *Host) exportJSON(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	reads, err := h.exported(r, m)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(map[string]any{"reads": reads}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the export: %w", err)
	}
	web.WriteFile(w, "application/json", "who-read-what.json", body)
	return nil
}

// exportCSV answers GET /account/activity.csv.
func (h *Host) exportCSV(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	reads, err := h.exported(r, m)
	if err != nil {
		return err
	}
	rows := [][]string{{"at", "app", "client_id", "grant_id", "results"}}
	for _, read := range reads {
		rows = append(rows, []string{read.At, web.InertCell(read.App), string(read.ClientID), string(read.GrantID), strconv.Itoa(read.Results)})
	}
	return web.WriteCSV(w, "who-read-what.csv", rows)
}
