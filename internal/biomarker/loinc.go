package biomarker

import (
	_ "embed" // the LOINC codes that mean the same
	"fmt"
	"slices"
)

//go:embed data/loinc-aliases.csv
var loincAliasesCSV string

// FindLOINC gives the biomarker that a LOINC code stands for: the catalogue's own
// code, in either system of units, or one that is the same quantity by another
// method. It is not known where a code only looks alike.
func (c *Catalogue) FindLOINC(loinc string) (*Biomarker, bool) {
	b, ok := c.byLOINC[loinc]
	return b, ok
}

// indexLOINC enters each biomarker's own codes.
func (c *Catalogue) indexLOINC() {
	c.byLOINC = make(map[string]*Biomarker)
	for _, b := range c.ordered {
		for _, loinc := range []string{b.LOINC, b.SI.LOINC} {
			if loinc != "" {
				c.byLOINC[loinc] = b
			}
		}
	}
}

// addAliases enters the further codes that are the same quantity.
func (c *Catalogue) addAliases(text string) error {
	columns := []string{"loinc", "relation", "code", "unit", "belongs_to", "loinc_name", "confirmed", "why"}
	return readTable("the LOINC aliases", text, columns, func(r row) error {
		b, known := c.Find(Code(r["code"]))
		switch {
		case !validLOINC(r["loinc"]):
			return fmt.Errorf("%q is not a LOINC code", r["loinc"])
		case !known:
			return fmt.Errorf("there is no biomarker %s", r["code"])
		case r["relation"] == "distinct":
			return c.addDistinct(r["loinc"], b)
		case r["relation"] != "same":
			return fmt.Errorf("the relation is %q", r["relation"])
		}
		if other, taken := c.byLOINC[r["loinc"]]; taken && other != b {
			return fmt.Errorf("%s stands for %s and %s", r["loinc"], other.Code, b.Code)
		}
		c.byLOINC[r["loinc"]] = b
		return nil
	})
}

// Distinct reports whether a LOINC code is known to look like a biomarker's and to be
// another quantity.
func (c *Catalogue) Distinct(loinc string, b *Biomarker) bool {
	return slices.Contains(c.distinct[loinc], b)
}

// addDistinct notes that a code only looks like a biomarker's.
func (c *Catalogue) addDistinct(loinc string, b *Biomarker) error {
	if c.byLOINC[loinc] == b {
		return fmt.Errorf("%s is %s and is not", loinc, b.Code)
	}
	if c.distinct == nil {
		c.distinct = make(map[string][]*Biomarker)
	}
	c.distinct[loinc] = append(c.distinct[loinc], b)
	return nil
}
