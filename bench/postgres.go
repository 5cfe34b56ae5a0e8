package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/loop"
	built "github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/store/postgres"
)

// connections is how many the platform has to PostgreSQL, of each kind, and its
// ceiling too.
const connections = 16

// moveToPostgres starts a PostgreSQL server, as durable as in production, and fills a
// database with what `loop dev` has in its folder: the same people and app.
func (p *platform) moveToPostgres(ctx context.Context) error {
	var err error
	if p.cluster, err = startDatabase(); err != nil {
		return err
	}
	if p.database, err = p.cluster.CreateDatabase(ctx, "bench"); err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	if _, err := postgres.Migrate(ctx, postgres.Config{URL: p.database, World: loop.Machine{}, Log: quiet}); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(p.folder, ".loop", "master.key"))
	if err != nil {
		return err
	}
	master, err := credential.ParseMaster(string(bytes.TrimSpace(text)))
	if err != nil {
		return err
	}
	config := built.Config{
		Folder: p.folder, Database: p.database, Master: master, World: loop.Machine{}, Log: quiet,
		HTTP: http.DefaultClient, SignUpsPerHour: 1000, Unlimited: true,
	}
	for variable, at := range map[string]**url.URL{"LOOP_IDENTITY_URL": &config.Identity, "LOOP_CLINICAL_URL": &config.Clinical, "LOOP_DEVELOPERS_URL": &config.Developers} {
		if *at, err = url.Parse(p.env[variable]); err != nil {
			return err
		}
	}
	opened, err := built.Open(ctx, config)
	if err != nil {
		return err
	}
	seed, err := opened.Seed(ctx, dev.Seed{
		Member:       dev.Person{Name: "Ada Lovelace", Email: p.env["LOOP_MEMBER_EMAIL"], Password: p.env["LOOP_MEMBER_PASSWORD"], Sex: loop.Female},
		Member2:      dev.Person{Name: "Alan Turing", Email: p.env["LOOP_MEMBER2_EMAIL"], Password: p.env["LOOP_MEMBER2_PASSWORD"], Sex: loop.Male},
		Developer:    dev.Person{Name: "Grace Hopper", Email: p.env["LOOP_DEVELOPER_EMAIL"], Password: p.env["LOOP_DEVELOPER_PASSWORD"], Sex: loop.Female},
		RedirectURIs: []string{p.env["LOOP_REDIRECT_URI"]},
	})
	if err != nil {
		return fmt.Errorf("filling the database: %w", err)
	}
	p.env["LOOP_CLIENT_ID"], p.env["LOOP_CLIENT_SECRET"] = seed.ClientID, seed.ClientSecret
	return opened.Close(ctx)
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
