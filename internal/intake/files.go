package intake

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/labcsv"
	"github.com/loop-health/loop/internal/loop"
)

// Options say how files are read, and whose their results are: those of one member,
// or of whom the files' patients are mapped to.
type Options struct {
	Source   string
	Member   loop.MemberID
	Patients map[string]loop.MemberID // nil: all is the member's
	Layout   *labcsv.Layout           // of CSV files; nil: those that are known
	Zone     *time.Location           // of times without one; nil: such a time is certain to its date
	DryRun   bool

	// Keep keeps a batch (Keeper.Keep, here or in another process).
	Keep func(ctx context.Context, batch Batch) ([]Outcome, error)
	// Line is given each place of which no result was kept, and each where one was kept
	// aside; nil: nobody wants to know.
	Line func(Line)
	// Progress is given how many bytes of results were read; nil: nobody wants to know.
	Progress func(bytes int64)
}

// Line is one place of a file, and what became of it.
type Line struct {
	File  string `json:"file"`
	Place string `json:"place"`
	Outcome
}

// Summary counts what became of files' results.
type Summary struct {
	Documents  int            `json:"documents"`
	Counts     map[Kind]int64 `json:"counts"`
	Skipped    int            `json:"skipped"`               // parts of documents that are no results, such as patients
	PassedOver []string       `json:"passed_over,omitempty"` // files of a zip that are no documents
}

// Import checks all files, then imports them. Where one is not in its format, or is
// about several patients nobody named, nothing of any is imported.
func Import(ctx context.Context, files []File, options Options) (Summary, error) {
	r := &run{ctx: ctx, Options: options, summary: Summary{Counts: make(map[Kind]int64)}}
	var documents []document
	var faults []error
	for i := range files {
		of, passedOver, err := files[i].documents()
		if err == nil {
			err = r.check(&files[i], of)
		}
		faults = append(faults, err)
		documents = append(documents, of...)
		r.summary.PassedOver = append(r.summary.PassedOver, passedOver...)
	}
	if err := errors.Join(faults...); err != nil {
		return r.summary, err
	}
	r.summary.Skipped = 0 // the second reading counts again
	for i := range documents {
		if err := r.importDocument(&documents[i]); err != nil {
			return r.summary, err
		}
	}
	return r.summary, nil
}

// run is one import.
type run struct {
	Options
	ctx     context.Context //nolint:containedctx // the value is one call's
	summary Summary
}

// check reads the documents of a file to their ends, without keeping anything.
func (r *run) check(f *File, documents []document) error {
	patients := make(map[string]bool)
	var faults []error
	for i := range documents {
		d := &documents[i]
		if d.alone {
			clear(patients)
		}
		err := r.each(d, func(patient string) {
			if len(patients) < 2 { // more than one is too many, unless they are mapped
				patients[patient] = true
			}
		}, func(biomarker.Reported, error) error { return nil })
		if err == nil && r.Patients == nil && len(patients) > 1 {
			err = f.malformed(biomarker.RefuseDocument("", "it is about several patients: each has to be mapped to a member"))
		}
		if err != nil {
			faults = append(faults, err)
		}
		if len(faults) == maxFaults {
			break
		}
	}
	return errors.Join(faults...)
}

// maxFaults is how many damaged documents of a zip are named.
const maxFaults = 20

// each gives every result of a document, or why there is none in its place.
func (r *run) each(d *document, seen func(string), take func(biomarker.Reported, error) error) error {
	results, opened, err := d.read(&r.Options, seen)
	if err != nil {
		return err
	}
	defer opened.Close() //nolint:errcheck // it was only read
	for {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		reported, err := results.Next()
		if errors.Is(err, io.EOF) {
			r.summary.Skipped += results.Skipped()
			return nil
		}
		if _, isRow := errors.AsType[*biomarker.Row](err); err != nil && !isRow {
			return d.fault(err)
		}
		if err := take(reported, err); err != nil {
			return err
		}
	}
}

// importDocument reads a document and keeps its results, batch by batch. One batch is
// kept while the next is read.
func (r *run) importDocument(d *document) error {
	batches := make(chan []placed, 1)
	kept := make(chan error, 1)
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	go func() {
		var err error
		for batch := range batches {
			if err == nil {
				if err = r.keep(ctx, d, batch); err != nil {
					cancel(err)
				}
			}
		}
		kept <- err
	}()
	err := r.readBatches(ctx, d, batches)
	close(batches)
	if keptErr := <-kept; keptErr != nil {
		return keptErr
	}
	r.summary.Documents++
	return err
}

// placed is a result with its place, or why there is none there.
type placed struct {
	item    Item
	place   string
	refusal string
}

func (r *run) readBatches(ctx context.Context, d *document, batches chan<- []placed) error {
	var batch []placed
	size := 0
	hand := func() error {
		if len(batch) == 0 {
			return nil
		}
		select {
		case batches <- batch:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		batch, size = nil, 0
		return nil
	}
	err := r.each(d, func(string) {}, func(reported biomarker.Reported, err error) error {
		one := r.place(reported, err)
		batch = append(batch, one)
		if size += one.size(); len(batch) == MaxBatch || size >= batchBytes {
			return hand()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return hand()
}

// batchBytes is about how much a batch holds, so that it fits in an administrative
// command.
const batchBytes = 256 << 10

func (p *placed) size() int {
	in := &p.item.Result.Incoming
	size := 300 + len(p.item.Result.Report) + len(p.item.Result.Patient) + len(in.Text) + len(in.RangeText)
	for _, name := range p.item.Result.Names {
		size += 30 + len(name.System) + len(name.Code)
	}
	return size
}

// place finds out whose a result is.
func (r *run) place(reported biomarker.Reported, err error) placed {
	if row, isRow := errors.AsType[*biomarker.Row](err); isRow {
		return placed{place: row.Place, refusal: row.Reason}
	}
	one := placed{item: Item{Member: r.Member, Result: reported}, place: reported.Place}
	if fault := bounded(&reported); fault != "" {
		one.refusal = fault
		return one
	}
	if r.Patients == nil {
		return one
	}
	one.item.Member = r.Patients[reported.Patient]
	switch {
	case reported.Patient == "":
		one.refusal = "It names no patient."
	case one.item.Member == "":
		one.refusal = "Its patient is mapped to no member."
	}
	return one
}

// keep has a batch kept, and counts and reports what became of it.
func (r *run) keep(ctx context.Context, d *document, all []placed) error {
	batch := Batch{Source: r.Source, DryRun: r.DryRun}
	for i := range all {
		if all[i].refusal == "" {
			batch.Items = append(batch.Items, all[i].item)
		}
	}
	var outcomes []Outcome
	if len(batch.Items) > 0 {
		var err error
		if outcomes, err = r.Keep(ctx, batch); err != nil {
			return err
		}
		if len(outcomes) != len(batch.Items) {
			return errors.New("the answer to a batch has not an outcome for each result")
		}
	}
	for i := range all {
		outcome := Outcome{Kind: Refused, Reason: all[i].refusal}
		if outcome.Reason == "" {
			outcome, outcomes = outcomes[0], outcomes[1:]
		}
		r.count(d, all[i].place, outcome)
	}
	return nil
}

func (r *run) count(d *document, place string, outcome Outcome) {
	r.summary.Counts[outcome.Kind]++
	if r.Line != nil && slices.Contains([]Kind{Refused, Aside}, outcome.Kind) {
		r.Line(Line{File: d.name, Place: place, Outcome: outcome})
	}
}
