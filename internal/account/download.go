package account

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

const downloadPath = privacyPath + "/download"

// kept is one kind of what is kept of a member, as a table.
type kept struct {
	name    string
	columns []string
	rows    func(add func(row ...string) error) error
}

// download answers GET /account/privacy/download: all that is kept of the member, as
// JSON and as CSV. It is made while it is sent, so that no copy of it is kept anywhere.
func (h *Host) download(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	m := signIn.Member
	apps, err := h.Connections.List(r.Context(), m.ID)
	if err != nil {
		return err
	}
	ways, err := h.waysIn(r.Context(), m.ID)
	if err != nil {
		return err
	}
	if err := h.Accounts.Downloaded(r.Context(), m.ID); err != nil {
		return err
	}
	tables := []kept{accountOf(m), ways, h.resultsOf(r, m), h.readsOf(r, m), {
		"apps",
		[]string{"grant_id", "client_id", "app", "scopes", "allowed_at", "until"},
		func(add func(row ...string) error) error {
			for i := range apps {
				g := apps[i].Grant
				if err := add(string(g.ID), string(g.Client), apps[i].Client.Name, g.Scopes.String(), timeCell(g.CreatedAt), timeCell(g.EndsAt)); err != nil {
					return err
				}
			}
			return nil
		},
	}}
	web.BeginFile(w, "application/zip", "loop-data.zip")
	if err := writeZip(w, tables); err != nil {
		return web.CutFile(r, err)
	}
	return nil
}

func accountOf(m *loop.Member) kept {
	return kept{"account", []string{"user_id", "name", "email", "email_verified", "locale", "sex", "birth_date", "created_at", "updated_at"}, func(add func(row ...string) error) error {
		return add(string(m.ID), m.Name, string(m.Email), strconv.FormatBool(m.EmailVerified), m.Locale, string(m.Sex), m.BirthDate(), timeCell(m.CreatedAt), timeCell(m.UpdatedAt))
	}}
}

// waysIn are the passkeys and the second factor, as far as they are the member's to
// read: a key's public half and a secret are of no use to them.
func (h *Host) waysIn(ctx context.Context, m loop.MemberID) (kept, error) {
	passkeys, err := h.SignIns.Passkeys.Passkeys(ctx, m)
	if err != nil {
		return kept{}, err
	}
	factor, err := h.SignIns.Factors.Factor(ctx, m)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return kept{}, err
	}
	return kept{"ways-to-sign-in", []string{"kind", "name", "created_at", "last_used_at"}, func(add func(row ...string) error) error {
		for _, p := range passkeys {
			if err := add("passkey", p.Name, timeCell(p.CreatedAt), timeCell(p.UsedAt)); err != nil {
				return err
			}
		}
		if factor == nil {
			return nil
		}
		return add("second factor", "", timeCell(factor.CreatedAt), "")
	}}, nil
}

// resultsOf are all lab results, as they came, those that were taken back too.
func (h *Host) resultsOf(r *http.Request, m *loop.Member) kept {
	columns := []string{
		"id", "biomarker_code", "loinc_code", "value_comparator", "value", "value_text", "unit", "reference_low", "reference_high", "reference_text", "flag",
		"source", "collected_at", "parsed_at", "client_id", "retracted_at",
	}
	return kept{"lab-results", columns, func(add func(row ...string) error) error {
		var failed error
		_, err := h.Biomarkers.Results.ListResults(r.Context(), m.ID, biomarker.Selection{Retracted: true}, func(result *biomarker.Result) bool {
			failed = add(string(result.ID), string(result.Code), result.LOINC, string(result.Comparator), result.Value.String(), result.Text, result.Unit,
				result.Range.Low.String(), result.Range.High.String(), result.RangeText, string(result.Flag), result.Source, result.Collected(),
				timeCell(result.ParsedAt), string(result.SentBy), timeCell(result.RetractedAt))
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		return err
	}}
}

func (h *Host) readsOf(r *http.Request, m *loop.Member) kept {
	return kept{"who-read-what", []string{"at", "app", "client_id", "grant_id", "results"}, func(add func(row ...string) error) error {
		return h.export(r, m, func(reads []exportedRead, _ bool) error {
			for _, read := range reads {
				if err := add(read.At, read.App, string(read.ClientID), string(read.GrantID), strconv.Itoa(read.Results)); err != nil {
					return err
				}
			}
			return nil
		})
	}}
}

func timeCell(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// writeZip writes each table as CSV (RFC 4180) and as JSON, row by row.
func writeZip(w io.Writer, tables []kept) error {
	archive := zip.NewWriter(w)
	for _, table := range tables {
		if err := writeFile(archive, table.name+".csv", table, writeTable); err != nil {
			return err
		}
		if err := writeFile(archive, table.name+".json", table, writeObjects); err != nil {
			return err
		}
	}
	return archive.Close()
}

func writeFile(archive *zip.Writer, name string, table kept, write func(io.Writer, kept) error) error {
	file, err := archive.Create(name)
	if err != nil {
		return err
	}
	return write(file, table)
}

func writeTable(w io.Writer, table kept) error {
	lines := csv.NewWriter(w)
	lines.UseCRLF = true // RFC 4180 §2
	if err := lines.Write(table.columns); err != nil {
		return err
	}
	err := table.rows(func(row ...string) error {
		cells := slices.Clone(row)
		for i, cell := range cells {
			if _, err := biomarker.ParseDecimal(cell); err != nil { // a spreadsheet takes -1.5 for no formula
				cells[i] = web.InertCell(cell)
			}
		}
		return lines.Write(cells)
	})
	lines.Flush()
	if err == nil {
		err = lines.Error()
	}
	return err
}

func writeObjects(w io.Writer, table kept) error {
	separator := "[\n"
	err := table.rows(func(row ...string) error {
		object := make(map[string]string, len(row))
		for i, cell := range row {
			object[table.columns[i]] = cell
		}
		text, err := json.Marshal(object)
		if err == nil {
			_, err = io.WriteString(w, separator+string(text))
		}
		separator = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	if separator == "[\n" { // no row came
		_, err = io.WriteString(w, "[]\n")
		return err
	}
	_, err = io.WriteString(w, "\n]\n")
	return err
}
