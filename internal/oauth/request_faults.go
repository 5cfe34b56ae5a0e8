package oauth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// faults collects what is wrong with an authorization request, so that nobody
// mends one thing and then meets the next.
type faults []*loop.Error

// add keeps an error, unless its parameter is at fault already.
func (f *faults) add(err error) {
	if err == nil {
		return
	}
	fault := loop.AsError(err)
	if fault.Field == "" || !slices.ContainsFunc(*f, func(known *loop.Error) bool { return known.Field == fault.Field }) {
		*f = append(*f, fault)
	}
}

// join makes one error of all of them: with the code and the parameter of the
// first, and every description. Nil where there is none. What went wrong on our
// side says nothing about the request, and comes alone.
func (f faults) join() *loop.Error {
	if i := slices.IndexFunc(f, isOurs); i >= 0 {
		return f[i]
	}
	switch len(f) {
	case 0:
		return nil
	case 1:
		return f[0]
	}
	all := *f[0]
	var text strings.Builder
	fmt.Fprintf(&text, "This request has %d faults.", len(f))
	for i, fault := range f {
		fmt.Fprintf(&text, " (%d) %s", i+1, fault.Description)
	}
	all.Description = text.String()
	return &all
}

func isOurs(e *loop.Error) bool {
	return e.Code == loop.ServerError || e.Code == loop.TemporarilyUnavailable
}
