package labcsv

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// Layout says how a file is to be read. Columns are named as in the file's header.
type Layout struct {
	Charset   string  `toml:"charset"`   // empty: UTF-8, or what a byte order mark says
	Separator string  `toml:"separator"` // empty: the one that the header is split by
	Date      string  `toml:"date"`      // such as DD.MM.YYYY hh:mm; empty: ISO 8601
	Decimal   string  `toml:"decimal"`   // , or .: numbers such as 1,500 are read by it
	Columns   Columns `toml:"columns"`
}

// Columns are the names of a file's columns; empty: it has none.
type Columns struct {
	LOINC     string `toml:"loinc"`
	Code      string `toml:"code"` // the laboratory's own
	Name      string `toml:"name"` // of what was measured, where there is no code
	Value     string `toml:"value"`
	Unit      string `toml:"unit"`
	Range     string `toml:"range"`
	Low       string `toml:"low"`
	High      string `toml:"high"`
	Flag      string `toml:"flag"` // N, L, H, LL, HH
	Collected string `toml:"collected"`
	Report    string `toml:"report"`
	Patient   string `toml:"patient"`
}

// known are exports that are met often, by their headers.
var known = []Layout{
	{Columns: Columns{
		Code: "questBiomarkerCode", Name: "biomarkerName", Value: "testResultRaw", Unit: "measurementUnits", Range: "rangeString",
		Collected: "dateOfService", Report: "requisitionId",
	}},
	{Columns: Columns{
		LOINC: "loincCode", Code: "componentID", Name: "componentName", Value: "value", Unit: "units", Range: "referenceRangeFormatted",
		Collected: "prioritizedInstantISO", Report: "orderKey",
	}},
}

// ReadLayout reads a layout from TOML. A key that is not known is an error.
func ReadLayout(r io.Reader) (*Layout, error) {
	var l Layout
	read, err := toml.NewDecoder(r).Decode(&l)
	if err != nil {
		return nil, fmt.Errorf("the file of columns is not TOML as it should be: %w", err)
	}
	if unknown := read.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("the file of columns has a key that is not known: %s", unknown[0])
	}
	return &l, l.check()
}

func (l *Layout) check() error {
	_, charsetErr := l.charset()
	_, dateErr := dateLayout(l.Date)
	switch c := &l.Columns; {
	case charsetErr != nil:
		return fmt.Errorf("the file of columns names a character set that is not known: %q", l.Charset)
	case dateErr != nil:
		return dateErr
	case l.Separator != "" && (len(l.Separator) != 1 || !strings.Contains(separators, l.Separator)):
		return errors.New(`separator is one of "," ";" "|" and "\t"`)
	case l.Decimal != "" && l.Decimal != "," && l.Decimal != ".":
		return errors.New(`decimal is "," or "."`)
	case c.Value == "" || c.Collected == "" || c.LOINC == "" && c.Code == "" && c.Name == "":
		return errors.New("the file of columns names those of value and collected, and one of loinc, code and name, under [columns]")
	}
	return nil
}

// charset gives the encoding that is named; nil: none is.
func (l *Layout) charset() (encoding.Encoding, error) {
	if l.Charset == "" {
		return nil, nil //nolint:nilnil // none is named, and nothing is wrong with that
	}
	return htmlindex.Get(l.Charset)
}

// named lists the columns that the layout needs.
func (c *Columns) named() []string {
	return slices.DeleteFunc([]string{
		c.LOINC, c.Code, c.Name, c.Value, c.Unit, c.Range, c.Low, c.High, c.Flag, c.Collected, c.Report, c.Patient,
	}, func(name string) bool { return name == "" })
}

// fits reports whether a header has all the columns.
func (c *Columns) fits(header []string) bool {
	for _, name := range c.named() {
		if !slices.Contains(header, name) {
			return false
		}
	}
	return true
}

// dateParts are the parts of a date's form, and what package time calls them.
var dateParts = strings.NewReplacer("YYYY", "2006", "MM", "01", "DD", "02", "hh", "15", "mm", "04", "ss", "05", "ZZ", "Z07:00")

// dateLayout gives the form of a date for package time; empty: ISO 8601.
func dateLayout(form string) (string, error) {
	if form == "" {
		return "", nil
	}
	if !strings.Contains(form, "YYYY") || !strings.Contains(form, "MM") || !strings.Contains(form, "DD") {
		return "", errors.New("the form of dates has YYYY, MM and DD, and with a time hh, mm, ss and ZZ: DD.MM.YYYY hh:mm")
	}
	return dateParts.Replace(form), nil
}
