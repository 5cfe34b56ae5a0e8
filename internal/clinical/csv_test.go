package clinical

import "testing"

func TestInertCellLeavesNumbersAsTheyAre(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "2.40": "2.40", "-1.5": "-1.5", "=1+1": "'=1+1", "-x": "'-x",
	} {
		if got := inertCell(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
