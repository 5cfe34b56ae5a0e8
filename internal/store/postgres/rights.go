package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// CheckRights says which tables the database's user may not read or write, where it has
// to. Of the schemas that are given it writes everything; shared it reads.
func CheckRights(ctx context.Context, config Config, schemas ...Schema) error {
	conn, err := connectTo(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	rows, err := conn.Query(ctx, `
SELECT current_user, n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND (n.nspname = ANY($1::text[]) AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT'))
	OR n.nspname = $2 AND NOT has_table_privilege(c.oid, 'SELECT')
	OR n.nspname = ANY($1::text[] || $2::text) AND NOT has_schema_privilege(n.oid, 'USAGE'))
ORDER BY 2`, schemas, shared)
	if err != nil {
		return fmt.Errorf("reading the rights: %w", err)
	}
	var (
		user   string
		tables []string
		table  string
	)
	_, err = pgx.ForEachRow(rows, []any{&user, &table}, func() error {
		tables = append(tables, table)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the rights: %w", err)
	}
	if len(tables) == 0 {
		return nil
	}
	names := strings.Join(tables[:min(3, len(tables))], ", ")
	if more := len(tables) - 3; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return errors.New("the database's user " + user + " may not read and write " + names + ": grant it what docs/loop-serve.md lists, or let the owner of the tables run the platform")
}

// CheckSchemas says whether this version can run on the schemas as they are.
func CheckSchemas(ctx context.Context, config Config, schemas ...Schema) error {
	config.Connections = 1
	for _, schema := range schemas {
		db, err := Open(ctx, schema, config)
		if err != nil {
			return err
		}
		if err := db.Close(); err != nil {
			return err
		}
	}
	return nil
}
