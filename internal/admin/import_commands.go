package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
)

type importCommands struct {
	Target `embed:""`

	Files ImportFiles `cmd:"" default:"withargs" help:"Import files of lab results: FHIR, HL7 v2, CSV, or a zip of them."`
	Codes importCodes `cmd:"" help:"List the codes that nobody knows yet, for which results wait."`
	Map   importMap   `cmd:"" help:"Say what a code means, and import what waits for it."`
	Batch importBatch `cmd:"" hidden:"" help:"Import one batch, from standard input."`
}

// ImportFiles is what is asked of an import. The files are read by the program that was
// called, which sends their results on batch by batch (importBatch).
type ImportFiles struct {
	File     []string      `arg:"" help:"The files."`
	User     loop.MemberID `help:"Whose results they are, where each file is about one patient." placeholder:"ID" xor:"who" required:""`
	Patients string        `help:"A CSV file that says who the files' patients are: patient,user_id." placeholder:"FILE" xor:"who" required:""`
	Source   string        `default:"import" help:"Which laboratory the files are from, such as quest." placeholder:"NAME"`
	Columns  string        `help:"A TOML file that says which column of CSV files holds what, where the export is none that is known." placeholder:"FILE"`
	Zone     string        `help:"The time zone of times that are written without one, such as Europe/Berlin. Without it they count by their date." placeholder:"ZONE"`
	DryRun   bool          `help:"Say what would be done, and do nothing."`
}

// Run says that files are not read here.
func (cmd *ImportFiles) Run(*Run) error {
	return errors.New("files are read by the program that was called, not by the server")
}

// Importing gives the import that the command line asks for; false where it asks for
// another command.
func (g *Grammar) Importing() (*ImportFiles, bool) {
	return &g.Import.Files, len(g.Import.Files.File) > 0
}

// imports gives how results are taken in, where they are kept here.
func (run *Run) imports() (Imports, error) {
	if run.Operations.Imports == nil {
		return nil, errors.New("lab results are kept elsewhere: give the command where a server with the role clinical or all has its folder")
	}
	return run.Operations.Imports, nil
}

// BatchArgs are the arguments of the command that imports one batch.
func BatchArgs() []string { return []string{"import", "batch"} }

type importBatch struct{}

// Run imports a batch and answers with its outcomes.
func (cmd *importBatch) Run(run *Run) error {
	var batch intake.Batch
	if err := json.NewDecoder(run.Stdin).Decode(&batch); err != nil {
		return errors.New("the batch is not well-formed JSON")
	}
	imports, err := run.imports()
	if err != nil {
		return err
	}
	outcomes, err := imports.Keep(run.Context, intake.Sender{Actor: Operator}, batch)
	if err != nil {
		return err
	}
	return json.NewEncoder(run.Stdout).Encode(outcomes)
}

type importCodes struct{}

// Run lists the codes.
func (cmd *importCodes) Run(run *Run) error {
	imports, err := run.imports()
	if err != nil {
		return err
	}
	codes, err := imports.UnknownCodes(run.Context)
	if err != nil {
		return err
	}
	return run.show(codes, func(w io.Writer) error {
		if len(codes) == 0 {
			return line("No result waits for a code.")(w)
		}
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "SYSTEM\tCODE\tRESULTS")
		for _, code := range codes {
			_, _ = fmt.Fprintf(table, "%s\t%q\t%d\n", code.System, code.Code, code.Count)
		}
		return table.Flush()
	})
}

type importMap struct {
	System    string         `arg:"" help:"The code's system, as loop import codes lists it: a URI, or source:NAME."`
	Code      string         `arg:"" help:"The code."`
	Biomarker biomarker.Code `arg:"" help:"What it means: a biomarker of the catalogue, such as tsh."`
}

// Run maps the code.
func (cmd *importMap) Run(run *Run) error {
	imports, err := run.imports()
	if err != nil {
		return err
	}
	mapped, err := imports.Map(run.Context, intake.Sender{Actor: Operator}, biomarker.Name{System: cmd.System, Code: cmd.Code}, cmd.Biomarker)
	if err != nil {
		return err
	}
	return run.show(mapped, func(w io.Writer) error {
		_, _ = fmt.Fprintf(w, "The code means %s from now on.\n", cmd.Biomarker)
		return writeCounts(w, mapped)
	})
}

func writeCounts(w io.Writer, mapped intake.Mapped) error {
	for _, kind := range []intake.Kind{intake.Kept, intake.Corrected, intake.Duplicate, intake.Refused} {
		if count := mapped.Counts[kind]; count > 0 {
			_, _ = fmt.Fprintf(w, "%s: %d\n", kind, count)
		}
	}
	slices.Sort(mapped.Refused)
	for _, reason := range mapped.Refused {
		if _, err := fmt.Fprintf(w, "refused, and still aside: %s\n", reason); err != nil {
			return err
		}
	}
	return nil
}
