package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// CheckObjects says whether the platform's schemas hold what acts in its name and no
// migration has made: a trigger, a rule, a policy, a view, a function of another body,
// or a default, check or index that calls a function of somebody's.
func CheckObjects(ctx context.Context, config Config) error {
	conn, err := connectTo(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	found, err := foreignObjects(ctx, conn)
	if err != nil {
		return fmt.Errorf("reading what the database holds: %w", err)
	}
	var faults []error
	for _, what := range found {
		faults = append(faults, fmt.Errorf("the database holds a %s, which loop did not make: find out who did, and remove it", what))
	}
	return errors.Join(faults...)
}

// actingObjects finds what acts on a statement of ours, but functions of our schemas.
// What is pinned in the catalog, a function of PostgreSQL's own, has no dependency.
const actingObjects = `
WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname = ANY ($1)),
     tables AS (SELECT oid, relname, relkind FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours))
SELECT 'trigger ' || tgname || ' on ' || relname FROM pg_trigger JOIN tables ON tgrelid = tables.oid WHERE NOT tgisinternal
UNION ALL SELECT 'rule ' || rulename || ' on ' || relname FROM pg_rewrite JOIN tables ON ev_class = tables.oid WHERE relkind = 'r'
UNION ALL SELECT 'policy ' || polname || ' on ' || relname FROM pg_policy JOIN tables ON polrelid = tables.oid
UNION ALL SELECT 'view ' || relname FROM tables WHERE relkind IN ('v', 'm', 'f')
UNION ALL SELECT 'trigger ' || evtname || ' on all tables' FROM pg_event_trigger
UNION ALL SELECT DISTINCT 'call of the function ' || proname || ' by ' || pg_describe_object(d.classid, d.objid, 0)
    FROM pg_depend AS d JOIN pg_proc AS p ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.objid IN (SELECT oid FROM pg_attrdef WHERE adrelid IN (SELECT oid FROM tables))
       OR d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_constraint WHERE conrelid IN (SELECT oid FROM tables))
       OR d.classid = 'pg_class'::regclass AND d.objid IN (SELECT oid FROM tables)
ORDER BY 1`

// foreignObjects describes what no migration has made.
func foreignObjects(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	all, err := parts()
	if err != nil {
		return nil, err
	}
	var schemas []string
	var texts strings.Builder
	for _, p := range all {
		schemas = append(schemas, string(p.schema))
		for _, m := range p.migrations {
			texts.WriteString(m.Text)
		}
	}
	rows, err := conn.Query(ctx, actingObjects, schemas)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	rows, err = conn.Query(ctx, `SELECT proname, prosrc FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY ($1)) ORDER BY 1`, schemas)
	if err != nil {
		return nil, err
	}
	var name, body string
	_, err = pgx.ForEachRow(rows, []any{&name, &body}, func() error {
		if !strings.Contains(texts.String(), "FUNCTION "+name+"(") || !strings.Contains(texts.String(), "$$"+body+"$$") {
			found = append(found, "function "+name)
		}
		return nil
	})
	return found, err
}
