// Package labcsv reads lab results from CSV files: exports that it knows by their
// headers, and any other by a Layout that says which column holds what.
//
// Files come in UTF-8, in UTF-16 with a byte order mark, or in the character set that
// the layout names; with lines that end in CR, LF or both; separated by commas,
// semicolons, tabs or bars. What can be read in two ways is not read: 03/04/2026 is no
// date until the layout says which.
//
// Start with Reader; layout.go says what a layout is.
package labcsv
