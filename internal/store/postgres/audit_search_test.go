package postgres_test

import (
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/storetest"
	"github.com/loop-health/loop/internal/store/tables"
)

func TestDatabase_SearchesTheRecord(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	db := open(t, postgres.Identity, config)
	storetest.SearchesAudit(t, db, w, func(rec audit.Record) error {
		return db.Do(t.Context(), func(act tables.Act) error { return act.Record(rec) })
	})
}
