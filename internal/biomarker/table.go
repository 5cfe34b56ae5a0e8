package biomarker

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// readTable reads a file of the catalogue: a header that names exactly these
// columns, then rows. An error names file and row.
func readTable(file, text string, columns []string, each func(row) error) error {
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = len(columns)
	rows, err := reader.ReadAll()
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], columns) {
		return fmt.Errorf("reading %s: its columns are not %s", file, strings.Join(columns, ","))
	}
	for i, fields := range rows[1:] {
		if err := each(newRow(columns, fields)); err != nil {
			return fmt.Errorf("reading %s, row %d (%s): %w", file, i+2, fields[0], err)
		}
	}
	return nil
}

// row is a line of a file by the names of its columns.
type row map[string]string

func newRow(columns, fields []string) row {
	r := make(row, len(columns))
	for i, name := range columns {
		r[name] = fields[i]
	}
	return r
}

// list reads values that are separated by semicolons.
func (r row) list(column string) []string {
	if r[column] == "" {
		return nil
	}
	return strings.Split(r[column], ";")
}
