package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // for --zone, where the system has none

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/labcsv"
)

// importFiles reads files here, which a server may not see, and has their results kept
// batch by batch, each by a command of its own.
func (p *process) importFiles(line *commandLine, asked *admin.ImportFiles) error {
	options, err := importOptions(asked)
	if err != nil {
		return err
	}
	files, closeFiles, err := openImports(asked.File)
	if err != nil {
		return err
	}
	defer closeFiles()
	run, finish, err := p.reach(line.Target(), false)
	if err != nil {
		return err
	}
	options.Keep = keepBy(run, p.stderr)
	report := &importReport{out: p.stdout, json: line.Target().JSON, dryRun: asked.DryRun}
	options.Line = report.line
	bar := newProgress(p.stderr, files)
	options.Progress = bar.read
	summary, err := intake.Import(p.ctx, files, options)
	bar.end()
	if err != nil && len(summary.Counts) > 0 {
		err = errors.Join(err, errors.New("the import stopped before its end: repeat it, what was kept is not kept twice"))
	}
	return finish(errors.Join(err, report.end(summary, err == nil)))
}

// importOptions reads what was asked for, and the files that say more of it.
func importOptions(asked *admin.ImportFiles) (options intake.Options, err error) {
	options = intake.Options{Source: asked.Source, Member: asked.User, DryRun: asked.DryRun}
	if err := biomarker.CheckSource(asked.Source); err != nil {
		return options, err
	}
	if asked.Zone != "" {
		if options.Zone, err = time.LoadLocation(asked.Zone); err != nil {
			return options, fmt.Errorf("--zone takes the name of a time zone, such as Europe/Berlin: %w", err)
		}
	}
	if asked.Columns != "" {
		if options.Layout, err = readFrom("columns", asked.Columns, labcsv.ReadLayout); err != nil {
			return options, err
		}
	}
	if asked.Patients != "" {
		options.Patients, err = readFrom("patients", asked.Patients, intake.ReadPatients)
		return options, err
	}
	if !asked.User.Valid() {
		return options, errors.New("--user takes a member's id, such as user_01K…: loop user list shows them")
	}
	return options, nil
}

// readFrom reads a file that a flag names.
func readFrom[T any](what, path string, read func(io.Reader) (T, error)) (T, error) {
	file, err := os.Open(path) //nolint:gosec // G304: the operator names it
	if err != nil {
		var nothing T
		return nothing, fmt.Errorf("the file of %s can't be read: %w", what, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	return read(file)
}

// openImports opens what is imported. Results come from files alone: they are read twice.
func openImports(paths []string) (files []intake.File, closeAll func(), err error) {
	var opened []*os.File
	closeAll = func() {
		for _, file := range opened {
			_ = file.Close() // it was only read
		}
	}
	for _, path := range paths {
		file, err := os.Open(path) //nolint:gosec // G304: the operator names it
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("a file can't be read: %w", err)
		}
		opened = append(opened, file)
		info, err := file.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is no file: results are read twice, so that a damaged file changes nothing", path)
		}
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		files = append(files, intake.File{Name: path, Size: info.Size(), ReaderAt: file})
	}
	return files, closeAll, nil
}

// keepBy has batches kept by an administrative command.
func keepBy(run runCommand, stderr io.Writer) func(context.Context, intake.Batch) ([]intake.Outcome, error) {
	return func(_ context.Context, batch intake.Batch) ([]intake.Outcome, error) {
		encoded, err := json.Marshal(batch)
		if err != nil {
			return nil, fmt.Errorf("writing a batch: %w", err)
		}
		var answer bytes.Buffer
		if err := run(admin.BatchArgs(), bytes.NewReader(encoded), &answer, stderr); err != nil {
			return nil, err
		}
		var outcomes []intake.Outcome
		if err := json.Unmarshal(answer.Bytes(), &outcomes); err != nil {
			return nil, fmt.Errorf("the platform's answer to a batch can't be read: %w", err)
		}
		return outcomes, nil
	}
}

// importReport writes what became of each place, as it is known: a large file can have
// more than fits in memory.
type importReport struct {
	out    io.Writer
	json   bool
	dryRun bool
	err    error
}

func (r *importReport) line(line intake.Line) {
	if r.err != nil {
		return
	}
	switch {
	case r.json:
		r.err = json.NewEncoder(r.out).Encode(line)
	case line.Kind == intake.Aside:
		_, r.err = fmt.Fprintf(r.out, "aside    %s, %s: nobody knows the code %q of %s\n", line.File, line.Place, line.Name.Code, line.Name.System)
	default:
		_, r.err = fmt.Fprintf(r.out, "refused  %s, %s: %s\n", line.File, line.Place, line.Reason)
	}
}

// end writes the summary.
func (r *importReport) end(summary intake.Summary, complete bool) error {
	if r.err != nil || !complete && len(summary.Counts) == 0 {
		return r.err
	}
	if r.json {
		return json.NewEncoder(r.out).Encode(struct {
			intake.Summary
			DryRun   bool `json:"dry_run"`
			Complete bool `json:"complete"`
		}{summary, r.dryRun, complete})
	}
	var parts []string
	for _, kind := range intake.Kinds() {
		parts = append(parts, fmt.Sprintf("%s %d", kind, summary.Counts[kind]))
	}
	if r.dryRun {
		_, _ = fmt.Fprint(r.out, "A dry run, nothing was changed. ")
	}
	_, err := fmt.Fprintf(r.out, "Results: %s. Other parts, such as patients: %d.\n", strings.Join(parts, ", "), summary.Skipped)
	for _, name := range summary.PassedOver {
		_, err = fmt.Fprintf(r.out, "passed over: %s\n", name)
	}
	return err
}
