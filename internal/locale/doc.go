// Package locale is the languages that members read and the texts in them, a file
// each. A text is named by a constant; a test holds every language to the same keys,
// and every key to a constant. What apps and developers read stays English, and is
// where it is said.
package locale
