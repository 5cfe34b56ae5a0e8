package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
)

// rowSizes gives, for each table, the average size in bytes of a row that the
// platform has in it.
func (p *platform) rowSizes(ctx context.Context, tables []string) ([]int, error) {
	sizes := make([]int, len(tables))
	for i, table := range tables {
		file, name, _ := strings.Cut(table, " ")
		var err error
		if p.database != "" {
			if sizes[i], err = averageRowIn(ctx, p.database, strings.TrimSuffix(file, ".db"), name); err != nil {
				return nil, fmt.Errorf("measuring the rows of %s: %w", table, err)
			}
			continue
		}
		if sizes[i], err = averageRow(ctx, filepath.Join(p.folder, ".loop", file), name); err != nil {
			return nil, fmt.Errorf("measuring the rows of %s: %w", table, err)
		}
	}
	return sizes, nil
}

func averageRow(ctx context.Context, path, table string) (int, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	var columns string
	err = db.QueryRowContext(ctx, `SELECT group_concat('length(CAST("' || name || '" AS BLOB))', ' + ') FROM pragma_table_info(?)`, table).Scan(&columns)
	if err != nil {
		return 0, err
	}
	var size float64
	err = db.QueryRowContext(ctx, `SELECT avg(`+columns+`) FROM "`+table+`"`).Scan(&size)
	return int(size), err
}
