// Package docs is the documentation that package docsite serves: Markdown that reads
// as well in the repository as on the page, and the contents that lead to it.
//
// Code in it that a reader will copy is a region of a file under test. Its fence
// names both, as in
//
//	```go examples/quickstart/app.go#login
//
// where the region is in the file between the comments docs:begin login and
// docs:end login. A test holds the two together; with -update it writes the
// file's code into the page.
package docs

import "embed"

// Files holds the pages (*.md, errors/*.md).
//
//go:embed *.md errors/*.md
var Files embed.FS

// Section is a group of pages in the contents.
type Section struct {
	Title string
	Pages []string // names of files, without the ending
}

// Contents is the order in which the pages are offered. The pages about single
// errors are reached through errors/index.
func Contents() []Section {
	return []Section{
		{"Start", []string{"index", "quickstart-go", "quickstart-python", "quickstart-fastapi", "quickstart-node", "quickstart-spring", "quickstart-spa", "works-with", "sdk-go", "loop-dev"}},
		{"Build", []string{"requests", "authorization-flow", "tokens", "scopes", "lab-results", "adding-lab-results", "fhir", "connected-apps", "assistants", "stronger-clients"}},
		{"Take care", []string{"security", "threats", "production"}},
		{"Reference", []string{"limits", "loop-serve", "operating", "importing", "divergences", "errors/index"}},
	}
}
