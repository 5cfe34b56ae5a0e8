package sqlite_test

import (
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/store/storetest"
	"github.com/loop-health/loop/internal/store/tables"
)

func TestDatabase_SearchesTheRecord(t *testing.T) {
	t.Parallel()
	_, db, w := openIdentity(t)
	storetest.SearchesAudit(t, db, w, func(rec audit.Record) error {
		return db.Do(t.Context(), func(act tables.Act) error { return act.Record(rec) })
	})
}
