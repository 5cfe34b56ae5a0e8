package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that fills PostgreSQL
)

// What a platform holds after years: so many members with one grant and five chains
// each, and ten records of each.
const (
	grownMembers = 1_000_000
	grownChains  = 5 // of each member
	grownRecords = 10
)

// grownAt is how many requests are under way while a grown platform is measured.
const grownAt = 16

// measureGrowth measures introspection and refreshes on a platform that is new and on the
// same after years, and prints how the slowest hundredth, memory and start have
// changed.
func measureGrowth(ctx context.Context, p *platform, span time.Duration, stdout io.Writer) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	defer p.close()
	people, err := p.people(ctx, grownAt)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nNew, and with %d grants, %d chains and %d records, on %s\n\n", grownMembers, grownMembers*grownChains, grownMembers*grownRecords, p.engine)
	fmt.Fprintln(stdout, "| | start ms | memory at rest | introspect /s | p99 ms | refresh /s | p99 ms | memory after |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	if err := p.measureGrown(ctx, "new", people, span, stdout); err != nil {
		return err
	}
	p.stop()
	began := time.Now()
	if err := p.fill(ctx); err != nil {
		return err
	}
	filled := time.Since(began)
	if err := p.measureGrown(ctx, "grown", people, span, stdout); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\nFilled in %s.\n", filled.Round(time.Second))
	return err
}

// measureGrown starts the platform, lets it rest, and drives it.
func (p *platform) measureGrown(ctx context.Context, name string, people []*person, span time.Duration, stdout io.Writer) error {
	p.stop()
	began := time.Now()
	if err := p.run("serve", "--config", configFile); err != nil {
		return err
	}
	if err := awaitAnswer(ctx, p.token.ResolveReference(&url.URL{Path: "/.well-known/openid-configuration"}).String()); err != nil {
		return err
	}
	started := time.Since(began)
	rest := residentMemory(p.server.Process.Pid)
	var found []sample
	hot, err := choose("introspect,refresh")
	if err != nil {
		return err
	}
	for _, scenario := range hot {
		s, err := scenario.drive(ctx, p, people, span)
		if err != nil {
			return err
		}
		if s.first != nil {
			return s.first
		}
		found = append(found, s)
	}
	fmt.Fprintf(stdout, "| %s | %d | %s | %.0f | %.2f | %.0f | %.2f | %s |\n", name, started.Milliseconds(), rest,
		found[0].perSecond, milliseconds(found[0].p99), found[1].perSecond, milliseconds(found[1].p99), residentMemory(p.server.Process.Pid))
	return nil
}

// fill writes the rows, while the platform is stopped.
func (p *platform) fill(ctx context.Context) error {
	driver, source := "pgx", p.database
	statements := fillPostgres
	if p.database == "" {
		driver, source = "sqlite", "file:"+filepath.Join(p.folder, ".loop", "identity.db")+"?_pragma=synchronous(OFF)&_pragma=cache_size(-1000000)"
		statements = fillSQLite
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	numbers := strings.NewReplacer("MEMBERS", fmt.Sprint(grownMembers), "CHAINS", fmt.Sprint(grownChains), "RECORDS", fmt.Sprint(grownRecords))
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, numbers.Replace(statement)); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

var fillSQLite = []string{
	`CREATE TEMP TABLE numbers AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < MEMBERS) SELECT n, printf('user_%026d', n) AS member FROM n`,
	`INSERT INTO members (id, email, email_verified, name, locale, sex, test, suspended, notice, password, created_at, updated_at)
		SELECT member, n || '@members.example', 0, '', '', '', 0, 0, '', '', 0, 0 FROM numbers`,
	`INSERT INTO grants (member_id, id, client_id, scopes, declined, created_at, updated_at, revoked_at, reason)
		SELECT member, printf('grt_%026d', n), (SELECT min(id) FROM clients), 'openid', '', 0, 0, 0, '' FROM numbers`,
	`INSERT INTO chains (member_id, id, grant_id, client_id, scopes, session_id, auth_time, generation, key_id, salt, rotated_at, rotated_by, rotated_for, created_at, idle_expires_at, ended_at, ending)
		SELECT member, printf('chn_%024d%02d', n, c.value), printf('grt_%026d', n), (SELECT min(id) FROM clients), 'openid', printf('ses_%026d', n), 0, 1, 1, randomblob(16), 0, '', '', 0, 4102444800000000, 0, ''
		FROM numbers, json_each('[1,2,3,4,5]') AS c WHERE c.value <= CHAINS`,
	`INSERT INTO audit_records (lane, number, at, event, actor_kind, actor_id, member_id, client_id, grant_id, request_id, address, detail, previous, hash)
		SELECT 'filler', n * RECORDS + r.value, 0, 'token.refreshed', 'client', printf('client_%026d', 1), member, printf('client_%026d', 1), printf('grt_%026d', n), printf('req_%026d', n), '192.0.2.1',
			'{"chain":"' || printf('chn_%026d', n) || '","scopes":"openid profile read:biomarkers"}', randomblob(32), randomblob(32)
		FROM numbers, json_each('[0,1,2,3,4,5,6,7,8,9]') AS r WHERE r.value < RECORDS`,
}

var fillPostgres = []string{
	`CREATE TEMP TABLE numbers AS SELECT n, 'user_' || lpad(n::text, 26, '0') AS member FROM generate_series(1, MEMBERS) AS n`,
	`INSERT INTO identity.members (id, email, email_verified, name, locale, sex, test, suspended, notice, created_at, updated_at, password)
		SELECT member, n || '@members.example', false, '', '', '', false, false, '', 0, 0, '' FROM numbers`,
	`INSERT INTO identity.grants (member_id, id, client_id, scopes, declined, created_at, updated_at, revoked_at, reason)
		SELECT member, 'grt_' || lpad(n::text, 26, '0'), (SELECT min(id) FROM identity.clients), 'openid', '', 0, 0, 0, '' FROM numbers`,
	`INSERT INTO identity.chains (member_id, id, grant_id, client_id, scopes, session_id, auth_time, generation, key_id, salt, rotated_at, rotated_by, rotated_for, created_at, idle_expires_at, ended_at, ending, rotated_key, resources, key)
		SELECT member, 'chn_' || lpad(n::text, 24, '0') || c, 'grt_' || lpad(n::text, 26, '0'), (SELECT min(id) FROM identity.clients), 'openid', 'ses_' || lpad(n::text, 26, '0'), 0, 1, 1, '\x00112233445566778899aabbccddeeff', 0, '', '', 0, 4102444800000000, 0, '', '', '', ''
		FROM numbers, generate_series(1, CHAINS) AS c`,
	`INSERT INTO identity.audit_records (lane, number, at, event, actor_kind, actor_id, member_id, client_id, grant_id, request_id, address, detail, previous, hash)
		SELECT 'filler', n * RECORDS + r, 0, 'token.refreshed', 'client', 'client_' || lpad('1', 26, '0'), member, 'client_' || lpad('1', 26, '0'), 'grt_' || lpad(n::text, 26, '0'), 'req_' || lpad(n::text, 26, '0'), '192.0.2.1',
			'{"chain":"chn_' || lpad(n::text, 26, '0') || '","scopes":"openid profile read:biomarkers"}', sha256(n::text::bytea), sha256(r::text::bytea)
		FROM numbers, generate_series(0, RECORDS - 1) AS r`,
	`ANALYZE`,
}
