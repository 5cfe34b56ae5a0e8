// Package biomarker knows lab results: the catalogue of what can be measured,
// a result with the very digits that the laboratory gave, the intervals it is
// held against and the status that follows, and what an app can ask for.
//
// The catalogue is data/biomarkers.csv, compiled in. Intervals in it are for
// software, demonstration and synthetic data; they are no medical advice and
// not a substitute for a laboratory's report. Its LOINC codes are copyright
// Regenstrief Institute, see the NOTICE of this repository.
//
// The package knows neither HTTP nor SQL: results are kept by the store and
// served by package clinical. Start with Catalogue, then Result and Judge.
package biomarker
