package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// submissions are the parts of the contract for results that apps send.
var submissions = map[string]func(*testing.T, *results){
	"what an app sends comes back as it was":           sentComesBack,
	"a batch that is sent twice is stored once":        storedOnce,
	"the same key of another app or member is another": keyIsTheSenders,
	"a key with another batch is refused":              otherContentRefused,
	"a key is forgotten after a day":                   keyForgotten,
	"a result is retracted by its sender alone":        retractedBySender,
}

var sender = biomarker.Sender{Client: "client_01KAXYZ0000000000000000000", Grant: "grant_01KAXYZ0000000000000000000"}

// batch is two results of an app: a number and a word.
func (s *results) batch(t *testing.T) []biomarker.Incoming {
	t.Helper()
	value, err := biomarker.ParseDecimal("5.50")
	must(t, err)
	high, err := biomarker.ParseDecimal("5.6")
	must(t, err)
	day := s.world.Now().AddDate(0, 0, -2).Format(time.DateOnly)
	return []biomarker.Incoming{
		{LOINC: "14749-6", Value: value, Unit: "mmol/L", Range: biomarker.Range{High: high, HighExcluded: true}, Source: "my-meter", Collected: day},
		{Code: "urine-protein-strip", Text: "Negative", Source: "my-lab", Collected: day},
	}
}

// submit sends the batch under the one key "key"; body stands for its content.
func (s *results) submit(t *testing.T, member loop.MemberID, by biomarker.Sender, body string) ([]loop.ResultID, error) {
	t.Helper()
	return s.importer.Submit(t.Context(), member, by, s.batch(t), biomarker.NewSubmission(s.world, by.Client, "key", []byte(body)))
}

// count is how many results a member has.
func (s *results) count(t *testing.T, member loop.MemberID) int {
	t.Helper()
	return len(s.walk(t, member, biomarker.Query{Limit: 100}, func() {}))
}

func sentComesBack(t *testing.T, s *results) {
	ids, err := s.submit(t, anna, sender, "body")
	must(t, err)
	number, err := s.reader.Find(t.Context(), anna, biomarker.Person{}, ids[0])
	must(t, err)
	if number.Value.String() != "5.50" || number.Unit != "mmol/L" || !number.Range.HighExcluded || number.Range.LowExcluded ||
		number.Precision != biomarker.ToTheDay || number.SentBy != sender.Client || number.Source != "my-meter" {
		t.Errorf("the number came back as %+v", number.Result)
	}
	word, err := s.reader.Find(t.Context(), anna, biomarker.Person{}, ids[1])
	must(t, err)
	if word.Text != "Negative" || word.Value.Present() || word.Unit != "" {
		t.Errorf("the word came back as %+v", word.Result)
	}
}

func storedOnce(t *testing.T, s *results) {
	const tries = 50
	var all sync.WaitGroup
	ids := make([]string, tries)
	for i := range tries {
		all.Go(func() {
			sent, err := s.submit(t, anna, sender, "body")
			if err != nil {
				t.Error(err)
			}
			ids[i] = fmt.Sprint(sent)
		})
	}
	all.Wait()
	for _, other := range ids {
		if other != ids[0] {
			t.Fatalf("the ids are %s and %s", ids[0], other)
		}
	}
	if n := s.count(t, anna); n != 2 {
		t.Errorf("%d results are stored, want 2", n)
	}
}

func keyIsTheSenders(t *testing.T, s *results) {
	other := biomarker.Sender{Client: "client_01KAXYZ0000000000000000001", Grant: sender.Grant}
	for _, send := range []struct {
		member loop.MemberID
		by     biomarker.Sender
	}{{anna, sender}, {anna, other}, {ben, sender}} {
		_, err := s.submit(t, send.member, send.by, "body")
		must(t, err)
	}
	if n := s.count(t, anna) + s.count(t, ben); n != 6 {
		t.Errorf("%d results are stored, want 6", n)
	}
}

func otherContentRefused(t *testing.T, s *results) {
	_, err := s.submit(t, anna, sender, "body")
	must(t, err)
	if _, err := s.submit(t, anna, sender, "another"); !errors.Is(err, biomarker.ErrOtherContent) {
		t.Errorf("the error is %v", err)
	}
	if n := s.count(t, anna); n != 2 {
		t.Errorf("%d results are stored, want 2", n)
	}
}

// keyForgotten sends a batch that was to be forgotten at once.
func keyForgotten(t *testing.T, s *results) {
	for range 2 {
		once := biomarker.NewSubmission(s.world, sender.Client, "key", []byte("body"))
		once.Until = s.world.Now()
		_, err := s.importer.Submit(t.Context(), anna, sender, s.batch(t), once)
		must(t, err)
	}
	if n := s.count(t, anna); n != 4 {
		t.Errorf("%d results are stored, want 4", n)
	}
}

func retractedBySender(t *testing.T, s *results) {
	ids, err := s.submit(t, anna, sender, "body")
	must(t, err)
	stranger := biomarker.Sender{Client: "client_01KAXYZ0000000000000000001"}
	if err := s.importer.Retract(t.Context(), anna, stranger, ids[0]); !errors.Is(err, biomarker.ErrOtherSender) {
		t.Errorf("a stranger's error is %v", err)
	}
	if err := s.importer.Retract(t.Context(), ben, sender, ids[0]); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("for another member the error is %v", err)
	}
	for range 2 {
		must(t, s.importer.Retract(t.Context(), anna, sender, ids[0]))
	}
	if n := s.count(t, anna); n != 1 {
		t.Errorf("%d results are listed, want 1", n)
	}
	if _, err := s.reader.Find(t.Context(), anna, biomarker.Person{}, ids[0]); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("the retracted one is found: %v", err)
	}
	latest := s.walk(t, anna, biomarker.Query{Limit: 100, Latest: true}, func() {})
	if len(latest) != 1 || latest[0].ID != ids[1] {
		t.Errorf("the newest are %v", latest)
	}
}
