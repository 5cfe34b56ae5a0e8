package biomarker

import (
	_ "embed" // the catalogue itself
	"fmt"
	"iter"
	"slices"
)

//go:embed data/biomarkers.csv
var biomarkersCSV string

// Catalogue is every biomarker that the platform knows. It does not change
// once it is made.
type Catalogue struct {
	byCode    map[Code]*Biomarker
	ordered   []*Biomarker
	byLOINC   map[string]*Biomarker
	distinct  map[string][]*Biomarker // LOINC codes that only look like a biomarker's
	scales    map[string]*Scale
	spellings spellings
}

// NewCatalogue reads the catalogue that is compiled in. An error means that
// this build is broken.
func NewCatalogue() (*Catalogue, error) {
	c, err := parseCatalogue(biomarkersCSV, scalesCSV)
	if err != nil {
		return nil, err
	}
	if c.spellings, err = parseSpellings(unitAliasesCSV); err != nil {
		return nil, err
	}
	return c, c.addAliases(loincAliasesCSV)
}

// Find gives the biomarker with the code.
func (c *Catalogue) Find(code Code) (*Biomarker, bool) {
	b, ok := c.byCode[code]
	return b, ok
}

// All goes through the biomarkers in the catalogue's order.
func (c *Catalogue) All() iter.Seq[*Biomarker] { return slices.Values(c.ordered) }

// In lists the codes of a category, in the catalogue's order; none for a
// category that does not exist.
func (c *Catalogue) In(category Category) []Code {
	var codes []Code
	for _, b := range c.ordered {
		if b.Category == category {
			codes = append(codes, b.Code)
		}
	}
	return codes
}

func parseCatalogue(biomarkers, scales string) (*Catalogue, error) {
	c := &Catalogue{byCode: make(map[Code]*Biomarker)}
	var err error
	if c.scales, err = parseScales(scales); err != nil {
		return nil, err
	}
	if err := readTable("the catalogue", biomarkers, columns, c.add); err != nil {
		return nil, err
	}
	for _, b := range c.ordered {
		b.gatherIntervals()
	}
	c.indexLOINC()
	return c, nil
}

// add takes in a row: a new biomarker, or one more interval of the last one.
func (c *Catalogue) add(r row) error {
	b, err := r.biomarker(c.scales)
	if err != nil {
		return err
	}
	known, ok := c.byCode[b.Code]
	if !ok {
		c.byCode[b.Code] = b
		c.ordered = append(c.ordered, b)
		return nil
	}
	if known != c.ordered[len(c.ordered)-1] {
		return fmt.Errorf("the rows of one code do not stand together")
	}
	return known.addInterval(b)
}

// addInterval joins the rows of one biomarker. They agree on everything but sex,
// ages and limits, and no person is in two of them.
func (b *Biomarker) addInterval(other *Biomarker) error {
	if !b.agrees(other) {
		return fmt.Errorf("the rows of one code differ in more than sex, ages and limits")
	}
	interval := other.Intervals[0]
	for _, known := range b.Intervals {
		sameSex := known.Sex == interval.Sex || known.Sex == "" || interval.Sex == ""
		if sameSex && known.Ages.overlap(interval.Ages) {
			return fmt.Errorf("two rows hold for the same person")
		}
	}
	b.Intervals = append(b.Intervals, interval)
	return nil
}

// agrees reports whether two rows have all in common but their interval.
func (b *Biomarker) agrees(other *Biomarker) bool {
	return b.Code == other.Code && b.Name == other.Name && b.Category == other.Category && b.Kind == other.Kind &&
		b.Family == other.Family && b.Measure == other.Measure && b.SI == other.SI && b.ToSI.equal(other.ToSI) &&
		slices.EqualFunc(b.Alternatives, other.Alternatives, Alternative.equal) &&
		b.Scale == other.Scale && slices.Equal(b.Normal, other.Normal)
}
