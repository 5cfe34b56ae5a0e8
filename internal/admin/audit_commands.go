package admin

import (
	"errors"
	"io"
)

type auditCommands struct {
	Target `embed:""`

	Verify auditVerify `cmd:"" help:"Check that no record was changed, taken out or added."`
	Tail   auditTail   `cmd:"" help:"Show the newest records, all or those that the flags name."`
}

type auditVerify struct {
	Checkpoints string `help:"A file of checkpoints that you keep elsewhere: what was cut off since then shows too." placeholder:"FILE"`
}

// Run verifies the record and fails where it finds a fault.
func (cmd *auditVerify) Run(run *Run) error {
	found, err := run.Operations.Audit.Verify(run.Context, run.Stdin) // the file that Grammar.Stdin has opened
	if err != nil {
		return err
	}
	if found.Faults == nil {
		found.Faults = []string{}
	}
	if err := run.show(found, whole(found)); err != nil || len(found.Faults) == 0 {
		return err
	}
	faults := []error{errors.New("the audit record is not as it was written")}
	for _, fault := range found.Faults {
		faults = append(faults, errors.New(fault))
	}
	return errors.Join(faults...)
}

// whole says that all is well, where it is.
func whole(found Verification) func(io.Writer) error {
	if len(found.Faults) > 0 {
		return func(io.Writer) error { return nil }
	}
	return line("The audit record is whole: %d records, %d checkpoints.", found.Records, found.Checkpoints)
}
