package intake

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// maxLines is how many places a report names.
const maxLines = 500

// Report is what became of a file that somebody sent.
type Report struct {
	Summary
	Lines []Line // the first places of which no result was kept, or one aside
	More  int    // how many there are beyond
}

// ImportSent imports a file that a member, or an app for them, sent: all of it is the
// member's. A file that is not in its format, or about several patients, is a
// ValidationError, and nothing of it is kept.
func (k *Keeper) ImportSent(ctx context.Context, by Sender, file File, options Options) (Report, error) {
	if err := biomarker.CheckSource(options.Source); err != nil {
		return Report{}, err
	}
	report := Report{Lines: []Line{}}
	options.Keep = func(ctx context.Context, batch Batch) ([]Outcome, error) { return k.Keep(ctx, by, batch) }
	options.Line = func(line Line) {
		if len(report.Lines) < maxLines {
			report.Lines = append(report.Lines, line)
		} else {
			report.More++
		}
	}
	var err error
	report.Summary, err = Import(ctx, []File{file}, options)
	if damaged, ok := errors.AsType[*biomarker.Malformed](err); ok {
		return report, loop.Errorf(loop.ValidationError, "Nothing was imported. %s", damaged.Error()).About("file")
	}
	return report, err
}
