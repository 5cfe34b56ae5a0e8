package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/operator"
)

// operators are the parts of the contract for who works for the platform.
var operators = map[string]func(*testing.T, *fixture){
	"an operator has one role, until it is taken away": hasOneRole,
}

func hasOneRole(t *testing.T, f *fixture) {
	if _, err := f.store.Operator(t.Context(), f.member.ID); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	want := operator.Operator{Member: f.member.ID, Role: operator.Viewer, AddedAt: f.grant.CreatedAt}
	must(t, f.store.PutOperator(t.Context(), want, f.record()))
	want.Role = operator.Acting
	must(t, f.store.PutOperator(t.Context(), want, f.record()))
	got, err := f.store.Operator(t.Context(), f.member.ID)
	all, errAll := f.store.Operators(t.Context())
	if diff := cmp.Diff([]operator.Operator{want}, all); err != nil || errAll != nil || *got != want || diff != "" {
		t.Errorf("%+v, %v, %v\n%s", got, err, errAll, diff)
	}
	must(t, f.store.RemoveOperator(t.Context(), f.member.ID, f.record()))
	if err := f.store.RemoveOperator(t.Context(), f.member.ID, f.record()); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	must(t, f.store.RecordView(t.Context(), f.record()))
}
