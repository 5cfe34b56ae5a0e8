//go:build unix

package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
	"github.com/loop-health/loop/internal/store/storetest"
)

// Through PgBouncer by transaction nothing lasts between two transactions: what reads
// needs nothing that lasts, and the rest goes past it.
func TestPooler_ByTransactionTheContractIsKept(t *testing.T) {
	t.Parallel()
	pooler := postgrestest.StartPooler(t, postgrestest.Database(t), "transaction", "default_pool_size = 2", "max_client_conn = 1000")
	through := func(t *testing.T) (postgres.Config, *loop.Clock) {
		t.Helper()
		config, w := migrated(t)
		config.Direct, config.URL = config.URL, pooler.URL(t, config.URL)
		return config, w
	}
	t.Run("identity", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) (storetest.Store, loop.World) {
			t.Helper()
			config, w := through(t)
			s := serve(t, config, w)
			return s, w
		})
	})
	t.Run("clinical", func(t *testing.T) {
		storetest.RunResults(t, func(t *testing.T) (storetest.ResultStore, loop.World) {
			t.Helper()
			config, w := through(t)
			return openClinical(t, config), w
		})
	})
}

// By session, a server's connections are its own; what they must have set reaches
// PostgreSQL, though PgBouncer passes no such settings on.
func TestPooler_BySessionTheContractIsKept(t *testing.T) {
	t.Parallel()
	pooler := postgrestest.StartPooler(t, postgrestest.Database(t), "session", "default_pool_size = 20", "max_client_conn = 1000")
	storetest.Run(t, func(t *testing.T) (storetest.Store, loop.World) {
		t.Helper()
		config, w := migrated(t)
		config.URL = pooler.URL(t, config.URL)
		return serve(t, config, w), w
	})
}

func TestPooler_MigratesBySession(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	config := postgres.Config{URL: postgrestest.StartPooler(t, address, "session").URL(t, address), World: loop.Machine{}}
	taken, err := postgres.Migrate(t.Context(), config)
	if err != nil || len(taken) == 0 {
		t.Errorf("it took %d steps, %v", len(taken), err)
	}
}

func TestPooler_WhereLocksAreLostNothingStarts(t *testing.T) {
	t.Parallel()
	direct, _ := migrated(t)
	serving := func(c postgres.Config) error { _, err := postgres.Open(t.Context(), postgres.Identity, c); return err }
	migrating := func(c postgres.Config) error { _, err := postgres.Migrate(t.Context(), c); return err }
	starting := func(c postgres.Config) error { _, err := postgres.Exclusively(t.Context(), c); return err }
	for name, test := range map[string]struct {
		try      func(postgres.Config) error
		mode     string
		settings []string
	}{
		"a server, by transaction":                                     {serving, "transaction", nil},
		"migrations, by transaction":                                   {migrating, "transaction", nil},
		"a start, by transaction":                                      {starting, "transaction", nil},
		"by transaction, and each leaves nothing behind":               {serving, "transaction", []string{"server_reset_query_always = 1"}},
		"by statement":                                                 {serving, "statement", nil},
		"by session, and the next client has what the one before left": {serving, "session", []string{"server_reset_query ="}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pooled := postgrestest.StartPooler(t, direct.URL, test.mode, test.settings...).URL(t, direct.URL)
			config := direct
			config.URL = pooled
			if err := test.try(config); err == nil || !strings.HasPrefix(err.Error(), "the database's address leads through a connection pooler") || !strings.Contains(err.Error(), "database_direct") {
				t.Errorf("it says %v", err)
			}
			config.URL, config.Direct = direct.URL, pooled
			if err := test.try(config); err == nil || !strings.HasPrefix(err.Error(), "database_direct leads through a connection pooler") {
				t.Errorf("with the two addresses exchanged it says %v", err)
			}
		})
	}
}

func TestPooler_ConnectionsFitThePool(t *testing.T) {
	t.Parallel()
	direct, _ := migrated(t)
	direct.Connections = 8
	for name, test := range map[string]struct {
		pool          int
		load          postgres.Load
		throughPooler bool // nothing goes past it
		want          int  // connections; 0: no start
	}{
		"PgBouncer's default, for a server of all": {pool: 20, load: postgres.Load{Schemas: 2, MemberKeys: true}, throughPooler: true, want: 4},
		"a large one":                         {pool: 38, load: postgres.Load{Schemas: 2, MemberKeys: true}, throughPooler: true, want: 8},
		"one less than that":                  {pool: 37, load: postgres.Load{Schemas: 2, MemberKeys: true}, throughPooler: true, want: 7},
		"for one schema":                      {pool: 12, load: postgres.Load{Schemas: 1, MemberKeys: true}, throughPooler: true, want: 4},
		"for what writes alone":               {pool: 11, load: postgres.Load{Schemas: 2, MemberKeys: true}, want: 4},
		"where the member keys are elsewhere": {pool: 10, load: postgres.Load{Schemas: 1}, throughPooler: true, want: 4},
		"the least":                           {pool: 8, load: postgres.Load{Schemas: 2, MemberKeys: true}, throughPooler: true, want: 1},
		"one without room for a connection of each kind": {pool: 7, load: postgres.Load{Schemas: 2, MemberKeys: true}, throughPooler: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pooled := postgrestest.StartPooler(t, direct.URL, "session", fmt.Sprintf("default_pool_size = %d", test.pool)).URL(t, direct.URL)
			config := direct
			config.URL = pooled
			if !test.throughPooler {
				config.URL, config.Direct = direct.URL, pooled
			}
			others, err := postgres.Exclusively(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer others()
			fitted, err := postgres.Fit(t.Context(), config, test.load)
			if test.want == 0 {
				if err == nil || !strings.HasPrefix(err.Error(), "the connection pooler has room for 6 sessions, and a server holds at least 7") {
					t.Errorf("it says %v", err)
				}
				return
			}
			if err != nil || fitted.Connections != test.want {
				t.Errorf("it works with %d connections, %v; want %d", fitted.Connections, err, test.want)
			}
		})
	}
	if fitted, err := postgres.Fit(t.Context(), direct, postgres.Load{Schemas: 2, MemberKeys: true}); err != nil || fitted.Connections != 8 {
		t.Errorf("without a pooler it works with %d connections, %v", fitted.Connections, err)
	}
}

func TestPooler_APoolThatIsTooSmallIsNamed(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	config.URL = postgrestest.StartPooler(t, config.URL, "session", "default_pool_size = 4", "query_wait_timeout = 1").URL(t, config.URL)
	s := serve(t, config, w) // on four: its lease, what reads, and the member keys' two
	err := s.EndPortalSession(t.Context(), [32]byte{1}, w.Now())
	if cause := errors.Unwrap(err); loop.AsError(err).Code != loop.TemporarilyUnavailable || cause == nil || !strings.Contains(cause.Error(), "has no session left: make its pool larger") {
		t.Errorf("a write on a fifth is answered %v because of %v", err, errors.Unwrap(err))
	}
}

// Behind a pool for as many sessions as the store of member keys holds, its file can be
// written anew.
func TestPooler_AnErasureNeedsNoSessionMore(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	config.URL = postgrestest.StartPooler(t, config.URL, "session", "default_pool_size = 2", "query_wait_timeout = 1").URL(t, config.URL)
	config.Connections = 1
	keys := openMemberKeys(t, config) // on two: what reads, and what wrote the root
	if err := keys.Erase(t.Context(), loop.NewMemberID(w)); err != nil {
		t.Error(err)
	}
}
