package audit

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// rowsInMemory is stored rows, by lane.
type rowsInMemory map[string][]Row

func (r rowsInMemory) Lanes(context.Context) (lanes []string, err error) {
	for lane := range r {
		lanes = append(lanes, lane)
	}
	slices.Sort(lanes)
	return lanes, nil
}

func (r rowsInMemory) EachRow(_ context.Context, lane string, each func(Row) error) error {
	for _, row := range r[lane] {
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

// lineAt is a checkpoint of lanes as they were after so many rows, behind a line.
func lineAt(t *testing.T, keys Keys, rows rowsInMemory, count int, after []byte) []byte {
	t.Helper()
	c := Checkpoint{At: time.Date(2026, 3, 1, 12, count, 0, 0, time.UTC)}
	if after != nil {
		c.Previous = hashLine(after)
	}
	for lane, all := range rows {
		last := all[min(count, len(all))-1]
		c.Heads = append(c.Heads, Head{Lane: lane, Number: last.Number, Hash: last.Hash})
	}
	line, err := keys.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestVerify(t *testing.T) {
	t.Parallel()
	type state struct {
		rows  rowsInMemory
		lines [][]byte
	}
	for name, test := range map[string]struct {
		change func(t *testing.T, keys Keys, s *state)
		fault  string // in the error; empty: all is well
	}{
		"untouched": {func(*testing.T, Keys, *state) {}, ""},
		"a record is changed": {func(_ *testing.T, _ Keys, s *state) {
			s.rows["identity"][1].Detail = `{"reason":"another"}`
		}, "lane identity: record 2 was changed"},
		"a record is taken out": {func(_ *testing.T, _ Keys, s *state) {
			s.rows["identity"] = slices.Delete(s.rows["identity"], 1, 2)
		}, "lane identity: record 2 is missing"},
		"two records change places": {func(_ *testing.T, _ Keys, s *state) {
			s.rows["identity"][1], s.rows["identity"][2] = s.rows["identity"][2], s.rows["identity"][1]
		}, "lane identity: record 2 is missing"},
		"a record of another chain takes the place of one": {func(t *testing.T, keys Keys, s *state) {
			s.rows["identity"][1] = follow(t, keys, "identity", 5)[3]
			s.rows["identity"][1].Number = 2
			s.rows["identity"][1].Hash = keys.hash(s.rows["identity"][1])
		}, "lane identity: record 2 does not follow the one before it"},
		"the whole lane is made anew under the key": {func(t *testing.T, keys Keys, s *state) {
			rec := aRecord()
			rec.Member = "user_2"
			head := Head{Lane: "identity"}
			for i := range s.rows["identity"] {
				row, err := keys.Next(head, rec)
				if err != nil {
					t.Fatal(err)
				}
				s.rows["identity"][i], head = row, Head{Lane: "identity", Number: row.Number, Hash: row.Hash}
			}
		}, "lane identity: record 2 is not the one that a checkpoint attests"},
		"the end of a lane is cut off": {func(_ *testing.T, _ Keys, s *state) {
			s.rows["identity"] = s.rows["identity"][:2]
		}, "lane identity: records 3 to 4 are missing"},
		"a whole lane is gone": {func(_ *testing.T, _ Keys, s *state) {
			delete(s.rows, "clinical")
		}, "lane clinical: records 1 to 4 are missing"},
		"a checkpoint is changed": {func(_ *testing.T, _ Keys, s *state) {
			s.lines[0] = []byte(strings.Replace(string(s.lines[0]), `"number":2`, `"number":1`, 1))
		}, "checkpoint 1 was changed"},
		"a checkpoint is taken out": {func(_ *testing.T, _ Keys, s *state) {
			s.lines = s.lines[1:]
		}, "a checkpoint before number 1 is missing"},
		"checkpoints change places": {func(_ *testing.T, _ Keys, s *state) {
			slices.Reverse(s.lines)
		}, "a checkpoint before number 1 is missing"},
		"a checkpoint of other keys": {func(t *testing.T, _ Keys, s *state) {
			s.lines[1] = lineAt(t, newKeys(t), s.rows, 4, s.lines[0])
		}, "checkpoint 2 was changed"},
		"all checkpoints are gone": {func(_ *testing.T, _ Keys, s *state) {
			s.lines = nil
		}, "there is no checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := newKeys(t)
			s := state{rows: rowsInMemory{"identity": follow(t, keys, "identity", 5), "clinical": follow(t, keys, "clinical", 4)}}
			first := lineAt(t, keys, s.rows, 2, nil)
			s.lines = [][]byte{first, lineAt(t, keys, s.rows, 4, first)}
			test.change(t, keys, &s)
			report, err := Verify(t.Context(), keys, s.lines, s.rows)
			switch {
			case test.fault == "" && err != nil:
				t.Fatalf("it is refused: %v", err)
			case test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)):
				t.Errorf("the error is %v, not %q", err, test.fault)
			case test.fault == "" && (report.Records != 9 || report.Checkpoints != 2 || report.Uncovered != 1 || report.Newest.Minute() != 4):
				t.Errorf("the report is %+v", report)
			}
		})
	}
}

func TestVerify_NothingAtAllIsInOrder(t *testing.T) {
	t.Parallel()
	if report, err := Verify(t.Context(), newKeys(t), nil, rowsInMemory{}); err != nil || report != (Report{}) {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestVerify_LanesOfSeveralDatabasesAreOneRecord(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	identity, clinical := rowsInMemory{"identity": follow(t, keys, "identity", 2)}, rowsInMemory{"clinical": follow(t, keys, "clinical", 2)}
	line := lineAt(t, keys, rowsInMemory{"identity": identity["identity"], "clinical": clinical["clinical"]}, 2, nil)
	if report, err := Verify(t.Context(), keys, [][]byte{line}, identity, clinical); err != nil || report.Records != 4 {
		t.Errorf("both: %+v, %v", report, err)
	}
	if _, err := Verify(t.Context(), keys, [][]byte{line}, identity); err == nil {
		t.Error("a database that was not brought is not missed")
	}
}
