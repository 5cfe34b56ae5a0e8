package tables

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Scanner is a row, of one or of many.
type Scanner interface {
	Scan(dest ...any) error
}

// Where a row's columns go: each type of record lists its columns once, in the
// order of its column list, and a NULL leaves the field as it is. So the same
// list reads a row and the side of an outer join that may not be there.

// text reads TEXT into a string of any kind.
func text[T ~string](into *T) sql.Scanner { return textColumn[T]{into} }

type textColumn[T ~string] struct{ into *T }

// Scan takes what the driver gives for TEXT.
func (c textColumn[T]) Scan(src any) error {
	return take(src, func(s string) { *c.into = T(s) })
}

// integer reads INTEGER into a number of any kind.
func integer[T ~int64 | ~uint32 | ~uint64](into *T) sql.Scanner { return integerColumn[T]{into} }

type integerColumn[T ~int64 | ~uint32 | ~uint64] struct{ into *T }

// Scan takes what the driver gives for INTEGER.
func (c integerColumn[T]) Scan(src any) error {
	return take(src, func(n int64) { *c.into = T(n) })
}

// truth reads BOOLEAN, or INTEGER where there is none: 0 is false.
func truth(into *bool) sql.Scanner { return truthColumn{into} }

type truthColumn struct{ into *bool }

// Scan takes what the driver gives for either.
func (c truthColumn) Scan(src any) error {
	if value, ok := src.(bool); ok {
		*c.into = value
		return nil
	}
	return take(src, func(n int64) { *c.into = n != 0 })
}

// moment reads what Micro wrote.
func moment(into *time.Time) sql.Scanner { return momentColumn{into} }

type momentColumn struct{ into *time.Time }

// Scan takes what the driver gives for INTEGER.
func (c momentColumn) Scan(src any) error {
	return take(src, func(micro int64) { *c.into = store.FromMicro(micro) })
}

// scopes reads what Scopes.String wrote.
func scopes(into *loop.Scopes) sql.Scanner { return scopesColumn{into} }

type scopesColumn struct{ into *loop.Scopes }

// Scan takes what the driver gives for TEXT.
func (c scopesColumn) Scan(src any) error {
	return take(src, func(s string) { *c.into = loop.ReadScopes(s) })
}

// scopeRequest reads what ScopeRequest.String wrote.
func scopeRequest(into *loop.ScopeRequest) sql.Scanner { return scopeRequestColumn{into} }

type scopeRequestColumn struct{ into *loop.ScopeRequest }

// Scan takes what the driver gives for TEXT.
func (c scopeRequestColumn) Scan(src any) error {
	return take(src, func(s string) { *c.into = loop.ReadScopeRequest(s) })
}

// methods reads what Methods.String wrote.
func methods(into *loop.Methods) sql.Scanner { return methodsColumn{into} }

type methodsColumn struct{ into *loop.Methods }

// Scan takes what the driver gives for TEXT.
func (c methodsColumn) Scan(src any) error {
	return take(src, func(s string) { *c.into = loop.ReadMethods(s) })
}

// words reads texts that were joined with spaces.
func words(into *[]string) sql.Scanner { return wordsColumn{into} }

type wordsColumn struct{ into *[]string }

// Scan takes what the driver gives for TEXT.
func (c wordsColumn) Scan(src any) error {
	return take(src, func(s string) {
		if *c.into = nil; s != "" {
			*c.into = strings.Fields(s)
		}
	})
}

// salt reads sixteen bytes.
func salt(into *[16]byte) sql.Scanner { return saltColumn{into} }

type saltColumn struct{ into *[16]byte }

// Scan takes what the driver gives for bytes.
func (c saltColumn) Scan(src any) error {
	var stored []byte
	if err := take(src, func(b []byte) { stored = b }); err != nil || src == nil {
		return err
	}
	if len(stored) != len(c.into) {
		return fmt.Errorf("a stored salt has %d bytes", len(stored))
	}
	copy(c.into[:], stored)
	return nil
}

// blob hands over bytes that are read where they are: they are the driver's, and gone
// once open returns.
func blob(open func([]byte) error) sql.Scanner { return blobColumn(open) }

type blobColumn func([]byte) error

// Scan takes what the driver gives for bytes.
func (open blobColumn) Scan(src any) (err error) {
	if failed := take(src, func(b []byte) { err = open(b) }); failed != nil {
		return failed
	}
	return err
}

// take hands over a column of the type that its table's schema promises (they are strict); NULL, which only an outer join makes, is not handed over.
func take[T string | int64 | []byte](src any, into func(T)) error {
	switch value := src.(type) {
	case T:
		into(value)
	case nil:
	default:
		return fmt.Errorf("a column holds a %T", src)
	}
	return nil
}

// WithColumn is a row with one more column than its reader knows of, the last, which
// goes to dest.
func WithColumn(row Scanner, dest any) Scanner { return withColumn{row, dest} }

type withColumn struct {
	row  Scanner
	dest any
}

// Scan gives the last column to dest.
func (c withColumn) Scan(dest ...any) error { return c.row.Scan(append(dest, c.dest)...) }
