package web_test

import (
	"testing"

	"github.com/loop-health/loop/internal/web"
)

func TestInertCell_IsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "quest": "quest", "<": "<", "a=1": "a=1",
		"=1+1": "'=1+1", "+1": "'+1", "-x": "'-x", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1",
	} {
		if got := web.InertCell(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
