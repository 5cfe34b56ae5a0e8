package test

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // an intruder who has the files reads and writes them

	"github.com/loop-health/loop/internal/pagetest"
)

// verifyAudit holds the platform's record to its chain and its checkpoints.
func (p *platform) verifyAudit(t *testing.T) {
	t.Helper()
	if out, err, status := p.loop(t, "audit", "verify"); status != 0 {
		t.Errorf("loop audit verify ends with status %d:\n%s%s", status, out, err)
	}
}

// eventfulPlatform has lived through a journey with all that can go wrong in it,
// and was stopped.
func eventfulPlatform(t *testing.T) *platform {
	t.Helper()
	p := startPlatform(t, "--no-quickstart")
	v := p.visitor(t)
	proof := pagetest.Verifier()
	first := v.redeem(t, v.code(t, proof), proof)
	v.biomarkers(t, first.Access)
	v.refresh(t, first.Refresh)
	v.refresh(t, first.Refresh) // used again: the grant ends
	v.signInAndAnswer(t, p.authorization(pagetest.Verifier()), "deny")
	proof = pagetest.Verifier()
	code := v.code(t, proof)
	v.redeem(t, code, proof)
	v.redeem(t, code, proof)
	for range 4 {
		v.biomarkers(t, v.redeem(t, v.code(t, proof), proof).Access)
	}
	p.verifyAudit(t)
	p.stop(t)
	p.verifyAudit(t)
	return p
}

func TestTheAuditRecordShowsWhatAnIntruderDidToIt(t *testing.T) {
	p := eventfulPlatform(t)
	for _, file := range []string{"identity.db", "clinical.db"} {
		intruder := &intruder{state: filepath.Join(p.folder, ".loop"), file: file}
		records := intruder.records(t)
		if len(records) < 4 {
			t.Fatalf("%s has %d records", file, len(records))
		}
		names := slices.Sorted(maps.Keys(changes))
		for i, record := range records {
			column := names[i%len(names)]
			t.Run(fmt.Sprintf("%s: one byte of %s of record %d is changed", file, column, record.number), func(t *testing.T) {
				p.discovers(t, intruder.does(t, func(db *sql.DB) {
					mustExec(t, db, changes[column], record.lane, record.number)
				}))
			})
		}
		for name, record := range map[string]record{"first": records[0], "middle": records[len(records)/2], "newest": records[len(records)-1]} {
			t.Run(file+": the "+name+" record is deleted", func(t *testing.T) {
				p.discovers(t, intruder.does(t, func(db *sql.DB) {
					mustExec(t, db, `DELETE FROM audit_records WHERE lane = ? AND number = ?`, record.lane, record.number)
				}))
			})
		}
		t.Run(file+": a record is changed and the chain made anew from there without the key", func(t *testing.T) {
			p.discovers(t, intruder.does(t, func(db *sql.DB) { forge(t, db, records[len(records)/2]) }))
		})
		t.Run(file+": all records are taken out", func(t *testing.T) {
			p.discovers(t, intruder.does(t, func(db *sql.DB) { mustExec(t, db, `DELETE FROM audit_records`) }))
		})
	}
	p.verifyAudit(t)
}

// changes are the statements that change one byte of a record, by column.
var changes = map[string]string{
	"at":         `UPDATE audit_records SET at = at + 1 WHERE lane = ? AND number = ?`,
	"number":     `UPDATE audit_records SET number = number + 1000 WHERE lane = ? AND number = ?`,
	"event":      changeText("event"),
	"actor_kind": changeText("actor_kind"),
	"actor_id":   changeText("actor_id"),
	"member_id":  changeText("member_id"),
	"client_id":  changeText("client_id"),
	"grant_id":   changeText("grant_id"),
	"request_id": changeText("request_id"),
	"address":    changeText("address"),
	"detail":     changeText("detail"),
	"previous":   changeBytes("previous"),
	"hash":       changeBytes("hash"),
}

// changeText changes the last character of a text, or makes one.
func changeText(column string) string {
	return fmt.Sprintf(`UPDATE audit_records SET %[1]s = substr(%[1]s, 1, max(length(%[1]s) - 1, 0)) || CASE substr(%[1]s, -1) WHEN 'x' THEN 'y' ELSE 'x' END
		WHERE lane = ? AND number = ?`, column)
}

// changeBytes changes the last byte of a blob.
func changeBytes(column string) string {
	return fmt.Sprintf(`UPDATE audit_records SET %[1]s = CAST(substr(%[1]s, 1, 31) || CASE substr(%[1]s, 32) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB)
		WHERE lane = ? AND number = ?`, column)
}

// discovers verifies the record in a folder and wants it to be found out.
func (p *platform) discovers(t *testing.T, folder string) {
	t.Helper()
	out, err, status := p.loop(t, "audit", "verify", "--dir", folder)
	if status == 0 || !strings.Contains(out+err, "audit") {
		t.Errorf("loop audit verify ends with status %d:\n%s%s", status, out, err)
	}
}

// intruder has the files of a stopped platform, but not its keys.
type intruder struct{ state, file string }

// record names a record of the audit chain.
type record struct {
	lane   string
	number int64
}

func (i *intruder) records(t *testing.T) []record {
	t.Helper()
	db := open(t, filepath.Join(i.state, i.file))
	rows, err := db.QueryContext(t.Context(), `SELECT lane, number FROM audit_records ORDER BY lane, number`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var records []record
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.lane, &r.number); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}

// does carries out the deed on a copy of the state and gives its folder.
func (i *intruder) does(t *testing.T, deed func(*sql.DB)) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "state")
	if err := os.CopyFS(folder, os.DirFS(i.state)); err != nil {
		t.Fatal(err)
	}
	deed(open(t, filepath.Join(folder, i.file)))
	return folder
}

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		t.Fatalf("%d rows changed (%v): %s", changed, err, statement)
	}
}

// forge changes a record and writes the chain anew from there on, as the source
// says that it is made, but under a key of the intruder's own.
func forge(t *testing.T, db *sql.DB, from record) {
	t.Helper()
	mustExec(t, db, changeText("actor_id"), from.lane, from.number)
	rows, err := db.QueryContext(t.Context(), `SELECT number, at, lane, event, actor_kind, actor_id, member_id, client_id, grant_id, request_id, address, detail, previous
		FROM audit_records WHERE lane = ? AND number >= ? ORDER BY number`, from.lane, from.number)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	type forged struct {
		number         int64
		previous, hash []byte
	}
	var chain []forged
	for rows.Next() {
		var (
			link    forged
			at      int64
			columns [10]string
		)
		into := []any{&link.number, &at}
		for i := range columns {
			into = append(into, &columns[i])
		}
		if err := rows.Scan(append(into, &link.previous)...); err != nil {
			t.Fatal(err)
		}
		if len(chain) > 0 {
			link.previous = chain[len(chain)-1].hash
		}
		link.hash = forgedHash(link.number, at, append(columns[:], string(link.previous)))
		chain = append(chain, link)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, link := range chain {
		mustExec(t, db, `UPDATE audit_records SET previous = ?, hash = ? WHERE lane = ? AND number = ?`, link.previous, link.hash, from.lane, link.number)
	}
}

func forgedHash(number, at int64, columns []string) []byte {
	mac := hmac.New(sha256.New, make([]byte, 32))
	write := func(n int64) { mac.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) }
	write(number)
	write(at)
	for _, column := range columns {
		write(int64(len(column)))
		mac.Write([]byte(column))
	}
	return mac.Sum(nil)
}
