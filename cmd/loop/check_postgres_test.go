//go:build unix

package main

import (
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

func TestCheck_OfADatabaseNamesMissingMigrations(t *testing.T) {
	address := postgrestest.Database(t)
	o := newOperator(t)
	args := append([]string{"serve", "--check", "--database", address}, freePorts(t)...)
	if out, _, status := o.try(args...); status != 1 || !strings.Contains(out, "run loop migrate up") {
		t.Errorf("of an empty database: status %d\n%s", status, out)
	}
	o.do("migrate", "up", "--database", address)
	if out, _, status := o.try(args...); status != 0 || !strings.Contains(out, "PostgreSQL, with all") {
		t.Errorf("of a migrated database: status %d\n%s", status, out)
	}
}
