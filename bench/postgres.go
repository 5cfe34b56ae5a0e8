package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connections is how many the platform has to PostgreSQL, of each kind, and its
// ceiling too.
const connections = 16

// moveToPostgres starts a PostgreSQL server, as durable as in production, and fills a
// database with what `loop dev` has in its folder: the same people, app and keys. The
// schema is the binary's own.
func (p *platform) moveToPostgres(ctx context.Context) error {
	var err error
	if p.cluster, err = startDatabase(); err != nil {
		return err
	}
	if p.database, err = p.cluster.CreateDatabase(ctx, "bench"); err != nil {
		return err
	}
	if out, err := p.command(ctx, "migrate", "up", "--database", p.database).CombinedOutput(); err != nil {
		return fmt.Errorf("making the schema: %w\n%s", err, out)
	}
	return p.copyTables(ctx)
}

// averageRowIn gives the average size in bytes of a row of a table on PostgreSQL.
func averageRowIn(ctx context.Context, database, schema, table string) (size int, err error) {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, `SET search_path = `+pgx.Identifier{schema}.Sanitize()+`, shared`)
	if err == nil {
		err = conn.QueryRow(ctx, `SELECT avg(pg_column_size(t.*))::int FROM `+pgx.Identifier{table}.Sanitize()+` AS t`).Scan(&size)
	}
	return size, err
}

// singleInserts commits a row for each request, over as many connections as the
// platform has.
type singleInserts struct{ pool *pgxpool.Pool }

func newSingleInserts(ctx context.Context, database string) (*singleInserts, error) {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, `CREATE TABLE IF NOT EXISTS ceiling_rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)`)
	return &singleInserts{pool}, err
}

func (s *singleInserts) write(blobs [][]byte) error {
	_, err := s.pool.Exec(context.Background(), `INSERT INTO ceiling_rows (body) VALUES ($1)`, bytes.Join(blobs, nil))
	return err
}
