package audit

import (
	"bytes"
	"crypto/rand"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newKeys makes the keys of a chain at run time.
func newKeys(t *testing.T) Keys {
	t.Helper()
	var chain, checkpoints [32]byte
	for _, secret := range [][]byte{chain[:], checkpoints[:]} {
		if _, err := rand.Read(secret); err != nil {
			t.Fatal(err)
		}
	}
	return NewKeys(chain, checkpoints)
}

// aRecord has something in each field.
func aRecord() Record {
	return Record{
		At: time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC), Event: ClientCreated, Actor: Actor{Kind: ByMember, ID: "user_1"},
		Member: "user_1", Client: "client_1", Grant: "grant_1", Detail: Detail{"reason": "a test"},
		Origin: Origin{Request: "req_1", Address: "192.0.2.1"},
	}
}

// follow makes rows of a lane, each behind the one before.
func follow(t *testing.T, keys Keys, lane string, count int) []Row {
	t.Helper()
	head := Head{Lane: lane}
	rows := make([]Row, count)
	for i := range rows {
		row, err := keys.Next(head, aRecord())
		if err != nil {
			t.Fatal(err)
		}
		rows[i], head = row, Head{Lane: lane, Number: row.Number, Hash: row.Hash}
	}
	return rows
}

func TestNext_ARowIsItsRecordBehindTheHead(t *testing.T) {
	t.Parallel()
	rows := follow(t, newKeys(t), "identity", 3)
	for i, row := range rows {
		previous := make([]byte, 32)
		if i > 0 {
			previous = rows[i-1].Hash
		}
		if row.Number != int64(i+1) || !bytes.Equal(row.Previous, previous) || len(row.Hash) != 32 {
			t.Errorf("row %d has the number %d and follows %x", i+1, row.Number, row.Previous)
		}
		got, err := row.Record()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(aRecord(), got); diff != "" {
			t.Errorf("row %d is another record: %s", i+1, diff)
		}
	}
}

func TestNext_WithoutADetailTheRowHasAnEmptyObject(t *testing.T) {
	t.Parallel()
	rec := aRecord()
	rec.Detail = nil
	row, err := newKeys(t).Next(Head{Lane: "identity"}, rec)
	if err != nil || row.Detail != "{}" {
		t.Errorf("it has %q, %v", row.Detail, err)
	}
}

// TestHash_CoversEveryColumn goes through the fields by reflection, so that a new
// column that the hash leaves out fails it.
func TestHash_CoversEveryColumn(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	row := follow(t, keys, "identity", 1)[0]
	fields := reflect.TypeOf(row)
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		if name == "Hash" {
			continue
		}
		changed := row
		switch field := reflect.ValueOf(&changed).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString(field.String() + "x")
		case reflect.Int64:
			field.SetInt(field.Int() + 1)
		case reflect.Slice:
			field.SetBytes(bytes.Repeat([]byte{1}, 32))
		default:
			t.Fatalf("%s has a kind that this test doesn't know", name)
		}
		if bytes.Equal(keys.hash(changed), row.Hash) {
			t.Errorf("%s can be changed without a trace", name)
		}
	}
}

func TestHash_ColumnsDoNotRunIntoEachOther(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	a, b := Row{Member: "ab", Client: "c"}, Row{Member: "a", Client: "bc"}
	if bytes.Equal(keys.hash(a), keys.hash(b)) {
		t.Error("two rows whose columns differ have one hash")
	}
}

func TestHash_AnotherKeyGivesAnotherHash(t *testing.T) {
	t.Parallel()
	row := follow(t, newKeys(t), "identity", 1)[0]
	if bytes.Equal(newKeys(t).hash(row), row.Hash) {
		t.Error("whoever has no key can make a record")
	}
}
