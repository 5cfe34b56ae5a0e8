package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres"
)

// migrateCommands are about the schemas of a PostgreSQL database. On SQLite a start
// does by itself what they do.
type migrateCommands struct {
	Status migrateStatus `cmd:"" help:"Show which migrations the database has."`
	Up     migrateUp     `cmd:"" help:"Bring the database to this version. Servers of the version before go on running on it."`
}

// whichDatabase says where the database is.
type whichDatabase struct {
	Config   string `help:"The configuration file that names it." placeholder:"FILE"`
	Database string `help:"The database (or LOOP_DATABASE)." placeholder:"postgres://…"`
	Direct   string `name:"database-direct" help:"The same database past a pooler (or LOOP_DATABASE_DIRECT)." placeholder:"postgres://…"`
}

// open gives how the database is reached.
func (w whichDatabase) open(p *process) (postgres.Config, error) {
	config := postgres.Config{World: loop.Machine{}, Log: p.quietLog()}
	read, err := databaseOf(sources{file: w.Config, flags: map[string]string{"database": w.Database, "database_direct": w.Direct}, env: p.env})
	if err != nil {
		return config, err
	}
	if read.Database == "" {
		return config, errors.New("which database? Say --database postgres://…, or set LOOP_DATABASE. (On SQLite there is nothing to do: loop serve migrates by itself.)")
	}
	config.URL, config.Direct, config.Wait = string(read.Database), string(read.DatabaseDirect), time.Duration(read.DatabaseWait)
	return config, nil
}

type migrateStatus struct {
	Where whichDatabase `embed:""`
}

// Run lists the migrations.
func (cmd *migrateStatus) Run(p *process) error {
	config, err := cmd.Where.open(p)
	if err != nil {
		return err
	}
	steps, err := postgres.MigrationStatus(p.ctx, config)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, step := range steps {
		state := "missing"
		if step.Applied {
			state = "applied"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", step.Schema, step.Name, state) // Flush returns the error
	}
	return table.Flush()
}

type migrateUp struct {
	Where whichDatabase `embed:""`
}

// Run applies the migrations that are missing.
func (cmd *migrateUp) Run(p *process) error {
	config, err := cmd.Where.open(p)
	if err != nil {
		return err
	}
	taken, err := postgres.Migrate(p.ctx, config)
	for _, step := range taken {
		_, _ = fmt.Fprintf(p.stdout, "applied %s %s\n", step.Schema, step.Name)
	}
	if err == nil && len(taken) == 0 {
		_, err = fmt.Fprintln(p.stdout, "The database is up to date.")
	}
	return err
}
