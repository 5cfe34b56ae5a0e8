package main

import (
	"regexp"
	"strings"
)

// code is a word between quotes in the text of a key: code in the documentation.
var code = regexp.MustCompile(`(^|[\s(])'([^']+)'`)

// keysTable is the table of all keys for docs/loop-serve.md, in Markdown.
func keysTable() string {
	var table strings.Builder
	table.WriteString("| key | default | meaning |\n| --- | --- | --- |\n")
	for _, k := range keys {
		fallback := ""
		switch {
		case k.fallback != "":
			fallback = "`" + k.fallback + "`"
		case k.required != "":
			fallback = "required"
		}
		meaning := strings.TrimSpace(k.help + " " + k.more)
		switch k.only {
		case onlyEnvironment:
			meaning += " Only as the variable '" + k.variable() + "'."
		case onlyFile:
			meaning += " In the file alone."
		}
		table.WriteString("| `" + k.name + "` | " + fallback + " | " + code.ReplaceAllString(meaning, "$1`$2`") + " |\n")
	}
	return table.String()
}
