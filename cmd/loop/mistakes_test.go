//go:build unix

package main

import (
	"crypto/rand"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

// mistake is what an operator can get wrong, with the one answer to it.
type mistake struct {
	make    func(t *testing.T, o *operator) (flags []string) // sets the stage
	says    string
	byStart string // what a start says where that is something else
	goesOn  bool   // a start does without, and the check points it out
}

// mistakes are the twenty that operators make most.
var mistakes = map[string]mistake{
	"a key that nobody knows": {make: inFile("identity_ulr = 'https://id.example.com'\n"), says: "loop.toml:1: there is no key identity_ulr (did you mean identity_url?)"},
	"a value of another type": {make: inFile("\nconnections = 'many'\n"), says: `loop.toml:2: connections: "many" is not a number`},
	"a flag that is unknown":  {make: flags("--idenity-url", "https://id.example.com"), says: "unknown flag --idenity-url, did you mean"},
	"postgre://":              {make: flags("--database", "postgre://db.example.com/loop"), says: "--database: it begins with no postgres:// (did you mean postgres?)"},
	"a folder that can't be": {make: func(t *testing.T, _ *operator) []string {
		t.Helper()
		return []string{"--dir", filepath.Join(file(t, ""), "below")}
	}, says: "not a directory"},
	"a port that is taken": {make: func(t *testing.T, _ *operator) []string {
		t.Helper()
		taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = taken.Close() })
		return []string{"--operations-listen", taken.Addr().String()}
	}, says: "address already in use"},
	"a database that is dead":    {make: flags("--database", "postgres://nobody@127.0.0.1:1/loop", "--database-wait", "0s"), says: "nobody answers at 127.0.0.1:1"},
	"a database that is empty":   {make: inDatabase(), says: "run loop migrate up"},
	"a database of another kind": {make: inDatabase(`CREATE SCHEMA identity`, `CREATE TABLE identity.members (mine int)`), says: "run loop migrate up"},
	"a database of a later version": {
		make: inDatabase(migrated, `UPDATE shared.schema_migrations SET oldest = 9000 WHERE schema = 'identity'`),
		says: "the database was made for a newer version of loop",
	},
	"a user without rights": {make: func(t *testing.T, o *operator) []string {
		t.Helper()
		password := rand.Text()
		inDatabase(migrated, `DROP ROLE IF EXISTS loop_reader`, `CREATE ROLE loop_reader LOGIN PASSWORD '`+password+`'`, `GRANT USAGE ON SCHEMA shared, identity, clinical, memberkeys TO loop_reader`, `GRANT SELECT ON ALL TABLES IN SCHEMA shared TO loop_reader`)(t, o)
		address, _ := url.Parse(o.database)
		address.User = url.UserPassword("loop_reader", password)
		return []string{"--database", address.String()}
	}, says: "the database's user loop_reader may not read and write", byStart: "permission denied"},
	"a database that is not there": {make: func(t *testing.T, o *operator) []string {
		t.Helper()
		inDatabase()(t, o)
		address, _ := url.Parse(o.database)
		address.Path = "/lop"
		return []string{"--database", address.String()}
	}, says: `database "lop" does not exist: create it`},
	"a certificate that expired":     {make: certified(-time.Hour, exampleHosts), says: "expired"},
	"a certificate of other names":   {make: certified(time.Hour, []string{"other.example.com"}), says: "it is not for id.example.com"},
	"a certificate renewed in part":  {make: renewedInPart, says: "are no pair"},
	"a master key of another":        {make: otherMaster, says: "the master key does not open"},
	"a master key that all may read": {make: openSecret, says: "run chmod 0600"},
	"a folder that all may write to": {make: openFolder, says: "run chmod 0700"},
	"a clock that is an hour behind": {make: hourBehind, says: "ahead of this machine's clock"},
	"a proxy's header that proves nothing": {
		make: flags("--mtls-header", "Client-Cert", "--identity-mtls-url", "https://mtls.example.com"), says: "mtls_header needs trusted_proxies",
	},
	"a mail server that is down": {
		make: flags("--smtp-server", "127.0.0.1:1", "--smtp-tls", "none", "--smtp-from", "Loop <no-reply@example.com>"), says: "mails wait until it can", goesOn: true,
	},
}

func TestMistakes_HaveOneClearAnswerByCheckAndByStart(t *testing.T) {
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			o := newOperator(t)
			args := append(freePorts(t), m.make(t, o)...)
			out, faults, status := o.try(append([]string{"serve", "--check"}, args...)...)
			if said := out + faults; (status == 0) != m.goesOn || strings.Count(said, m.says) != 1 {
				t.Errorf("--check: status %d, want once %q:\n%s", status, m.says, said)
			}
			if m.goesOn {
				return
			}
			says := m.says
			if m.byStart != "" {
				says = m.byStart
			}
			out, faults, status = o.try(append([]string{"serve"}, args...)...)
			if status != 1 || !strings.Contains(faults, says) || strings.Contains(out, "ready") {
				t.Errorf("a start: status %d, want %q:\n%s%s", status, says, out, faults)
			}
			if last := lastLine(faults); !strings.HasPrefix(last, "loop: ") {
				t.Errorf("a start does not end with a sentence: %s", faults)
			}
		})
	}
}

// A second instance is the one mistake for which the first has to run.
func TestMistakes_ASecondInstanceIsRefusedAndNamesTheFolder(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	if _, _, status := o.try("user", "list"); status != 0 {
		t.Fatal("the folder is not made")
	}
	dir, _ := strings.CutPrefix(o.env[0], "LOOP_DIR=")
	release, err := lockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release() //nolint:errcheck // the test is over
	if _, faults, status := o.try(append([]string{"serve"}, freePorts(t)...)...); status != 1 || !strings.Contains(lastLine(faults), dir) {
		t.Errorf("status %d: %s", status, faults)
	}
	if out, _, status := o.try(append([]string{"serve", "--check"}, freePorts(t)...)...); status != 0 || !strings.Contains(out, "a platform runs from the folder") {
		t.Errorf("--check: status %d: %s", status, out)
	}
}

func TestMistakes_TheFolderOfAServerIsNotTakenForOneOfLoopDev(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	o.do("user", "list")
	dir, _ := strings.CutPrefix(o.env[0], "LOOP_DIR=")
	o.env = nil
	if _, says, status := o.try("user", "list", "--dir", dir); status != 1 || !strings.Contains(says, "name its configuration with --config") {
		t.Errorf("status %d: %s", status, says)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func flags(all ...string) func(*testing.T, *operator) []string {
	return func(*testing.T, *operator) []string { return all }
}

func inFile(text string) func(*testing.T, *operator) []string {
	return func(t *testing.T, _ *operator) []string {
		t.Helper()
		return []string{"--config", file(t, text)}
	}
}

// migrated stands for loop migrate up among the statements of inDatabase.
const migrated = "loop migrate up"

// inDatabase makes a database of its own, by statements.
func inDatabase(statements ...string) func(*testing.T, *operator) []string {
	return func(t *testing.T, o *operator) []string {
		t.Helper()
		o.database = postgrestest.Database(t)
		conn, err := pgx.Connect(t.Context(), o.database)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context()) //nolint:errcheck // it is over
		for _, statement := range statements {
			if statement == migrated {
				o.do("migrate", "up", "--database", o.database)
			} else if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		return []string{"--database", o.database}
	}
}

func certified(until time.Duration, names []string) func(*testing.T, *operator) []string {
	return func(t *testing.T, _ *operator) []string {
		t.Helper()
		certificate, key := certificateFor(t, until, names...)
		return []string{"--tls-certificate", certificate, "--tls-key", key}
	}
}

// renewedInPart has the certificate renewed, and its key not yet.
func renewedInPart(t *testing.T, _ *operator) []string {
	t.Helper()
	certificate, _ := certificateFor(t, time.Hour, exampleHosts...)
	_, key := certificateFor(t, time.Hour, exampleHosts...)
	return []string{"--tls-certificate", certificate, "--tls-key", key}
}

func otherMaster(t *testing.T, o *operator) []string {
	t.Helper()
	o.do("user", "list")
	_, other := credential.NewMaster(loop.Machine{})
	o.env = append(o.env, "LOOP_MASTER_KEY="+other)
	return nil
}

func openSecret(t *testing.T, o *operator) []string {
	t.Helper()
	_, master, _ := strings.Cut(o.env[1], "=")
	path := file(t, master)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	o.env[1] = "LOOP_MASTER_KEY="
	return []string{"--master-key-file", path}
}

func openFolder(t *testing.T, _ *operator) []string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	return []string{"--dir", folder}
}

// hourBehind has a platform that worked while the clock was an hour ahead.
func hourBehind(t *testing.T, o *operator) []string {
	t.Helper()
	config, err := readConfig(sources{env: o.env})
	if err != nil {
		t.Fatal(err)
	}
	ahead := forProduction(config, newLog(&safeBuffer{}, config.LogLevel))
	ahead.World = anHourAhead{}
	p, err := open(t.Context(), ahead)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return nil
}

type anHourAhead struct{ loop.Machine }

func (anHourAhead) Now() time.Time { return loop.Machine{}.Now().Add(time.Hour) }
