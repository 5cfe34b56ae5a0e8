package biomarker

import (
	_ "embed" // the spellings of units
	"fmt"
	"slices"
	"strings"
)

//go:embed data/unit-aliases.csv
var unitAliasesCSV string

// anyFamily marks a spelling that means the same for every biomarker.
const anyFamily = "any"

// spellings are what laboratories write for units: by family of units and
// spelling, the UCUM unit that is meant.
type spellings struct {
	exact  map[inFamily]string
	folded map[inFamily]string // empty: several units are spelt so
}

type inFamily struct{ family, spelling string }

func parseSpellings(text string) (spellings, error) {
	s := spellings{make(map[inFamily]string), make(map[inFamily]string)}
	err := readTable("the spellings of units", text, []string{"spelling", "ucum", "families", "note"}, func(r row) error {
		if !unitForm.MatchString(r["ucum"]) {
			return fmt.Errorf("%q is not a unit", r["ucum"])
		}
		for _, family := range r.list("families") {
			exact, folded := inFamily{family, r["spelling"]}, inFamily{family, foldUnit(r["spelling"])}
			if other, taken := s.exact[exact]; taken {
				return fmt.Errorf("it stands for %s and %s", other, r["ucum"])
			}
			s.exact[exact] = r["ucum"]
			if other, taken := s.folded[folded]; taken && other != r["ucum"] {
				s.folded[folded] = ""
			} else {
				s.folded[folded] = r["ucum"]
			}
		}
		return nil
	})
	return s, err
}

// meant lists the units that a spelling can mean in a family, the likeliest first.
func (s spellings) meant(family, spelling string) []string {
	return []string{
		s.exact[inFamily{family, spelling}], s.exact[inFamily{anyFamily, spelling}],
		s.folded[inFamily{family, foldUnit(spelling)}], s.folded[inFamily{anyFamily, foldUnit(spelling)}],
	}
}

// foldUnit reads a unit without regard to case, to both micro signs and to runs of
// spaces.
func foldUnit(spelling string) string {
	return fold(microSigns.Replace(strings.Join(strings.Fields(spelling), " ")))
}

// microSigns are U+00B5 and the Greek letter U+03BC, which look the same.
var microSigns = strings.NewReplacer("\u00b5", "u", "\u03bc", "u")

// unitless are the families whose results may come without a unit.
var unitless = []string{"inr", "ph", "gravity", "ratio", "index", "titre"}

// ReadUnit gives the unit of the biomarker that a laboratory's spelling means. It is
// not known where it means none of the biomarker's own units: being valid UCUM does
// not help, since K/uL would be kelvin, and no unit is converted by its dimension.
func (c *Catalogue) ReadUnit(b *Biomarker, spelling string) (unit string, known bool) {
	own := b.units()
	if slices.Contains(own, spelling) {
		return spelling, true
	}
	if strings.TrimSpace(spelling) == "" {
		if slices.Contains(unitless, b.Family) {
			return b.Unit, true
		}
		return "", false
	}
	for _, unit := range c.spellings.meant(b.Family, spelling) {
		if slices.Contains(own, unit) {
			return unit, true
		}
	}
	for _, unit := range own {
		if foldUnit(unit) == foldUnit(spelling) {
			return unit, true
		}
	}
	return "", false
}

// DisplayOf gives a unit of the biomarker as people write it; the UCUM code itself
// where the catalogue has no other form. Empty: none is shown.
func (b *Biomarker) DisplayOf(unit string) string {
	switch unit {
	case b.Unit:
		return b.Display
	case b.SI.Unit:
		return b.SI.Display
	default:
		return unit
	}
}
