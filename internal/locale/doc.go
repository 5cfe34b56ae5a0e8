// Package locale is the languages that members read and the texts in them: a folder
// for each language, and in it a file for each subject, such as a page. What apps and
// developers read stays English, and is where it is said.
//
// A text is named by its file and its place in it: title in apps.toml is apps.title.
// A text with a number in it is a table with the plural forms that its language has
// (CLDR: one, other and so on). {0}, {1} and so on are the places of arguments; in a
// text that counts, {0} is the number.
//
//	title = "Your apps"
//	[results]
//	one = "1 lab result"
//	other = "{0} lab results"
//
// Templates name texts by text, marked, count and their kin (package web), Go code by
// the methods of a Language. Tests hold every language to the same keys and places,
// and every key to a use. Start with locale.go, then language.go.
package locale
