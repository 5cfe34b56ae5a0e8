package store

import (
	"database/sql"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// retryAfter is how long a caller should wait where nothing was written.
const retryAfter = time.Second

// Unavailable is the error for a failure after which nothing was written.
func Unavailable(cause error) error {
	return passing("The change was not saved, and nothing was changed. Try again.", cause)
}

// Unreadable is the error of a read that failed.
func Unreadable(cause error) error {
	return passing("What you asked for could not be read. Try again.", cause)
}

func passing(description string, cause error) error {
	e := loop.Errorf(loop.TemporarilyUnavailable, "%s", description)
	e.RetryAfter = retryAfter
	return e.Because(cause)
}

// Uncertain is the error for a failure after which nobody knows whether it was written,
// and so nobody may simply try again: loop.ErrOutcomeUnknown is in it.
func Uncertain(cause error) error {
	return loop.Errorf(loop.TemporarilyUnavailable, "It is not known whether this was saved. It may have happened or not.").
		Because(errors.Join(loop.ErrOutcomeUnknown, cause))
}

// Found is the error of reading a row: loop.ErrNotFound where there is none,
// loop.TemporarilyUnavailable where the database could not be read.
func Found(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return loop.ErrNotFound
	default:
		return Unreadable(err)
	}
}

// Optional turns the absence of a record into nil.
func Optional[T any](record *T, err error) (*T, error) {
	if errors.Is(err, loop.ErrNotFound) {
		return nil, nil //nolint:nilnil // absent and no error is the meaning
	}
	return record, err
}

// Cause is what lies beneath the answer that the outside is given, for the operator.
func Cause(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return err
		}
		err = inner.Unwrap()
	}
}
