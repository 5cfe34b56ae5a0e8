package clinical

import "testing"

func TestInertCellIsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "quest": "quest", "2.40": "2.40", "-1.5": "-1.5", "<": "<",
		"=1+1": "'=1+1", "+1": "'+1", "-x": "'-x", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "a=1": "a=1",
	} {
		if got := inertCell(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
