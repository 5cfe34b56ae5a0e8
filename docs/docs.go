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

// Files holds the pages (*.md, errors/*.md) and their drawings.
//
//go:embed *.md *.svg errors/*.md
var Files embed.FS

// Section is a group of entries in the contents.
type Section struct {
	Title   string
	Entries []Entry
}

// Entry is a line of the contents: a page, or several that answer one question, each
// for other tools, and are tabs of one another.
type Entry struct {
	Label string // empty: the page's title
	Pages []Tab
	// ForReview: for who reviews the platform, not for who builds on it. A search shows
	// it after the rest.
	ForReview bool
}

// Tab is a page of an entry.
type Tab struct {
	Label string // empty: the entry has this page alone
	File  string // without the ending
}

// Contents is the order in which the pages are offered. The pages about single
// errors are reached through errors/index.
func Contents() []Section {
	return []Section{
		{"Get started", []Entry{
			page("index", "Overview"),
			{Label: "Quickstart", Pages: []Tab{
				{"Python, Flask", "quickstart-python"},
				{"Python, FastAPI", "quickstart-fastapi"},
				{"Node, Express", "quickstart-node"},
				{"Go", "quickstart-go"},
				{"Java, Spring", "quickstart-spring"},
				{"Browser", "quickstart-spa"},
			}},
			page("loop-dev", "Run Loop on your laptop"), page("works-with", "Client libraries"), page("sdk-go", "Go package"),
		}},
		{"Guides", []Entry{
			page("authorization-flow", ""), page("scopes", ""), page("tokens", "Tokens and refresh"), page("sign-in-strength", ""), page("lab-results", ""), page("adding-lab-results", ""),
			page("fhir", ""), page("connected-apps", ""), page("assistants", "Assistants (MCP)"), page("assistants-for-members", "For members: assistants"), page("webhooks", ""), page("requests", "Request log"), page("stronger-clients", "DPoP, mTLS, PAR, FAPI 2.0"),
		}},
		{"Going live", []Entry{page("production", ""), page("security", ""), forReview("threats", "Threat model")}},
		{"Reference", []Entry{page("errors/index", "Error codes"), page("limits", ""), forReview("divergences", "Divergences from RFCs")}},
		{"Operate Loop", []Entry{page("loop-serve", "Configuration"), page("operating", ""), page("admin-api", ""), page("logs", ""), page("importing", "")}},
	}
}

func page(file, label string) Entry { return Entry{Label: label, Pages: []Tab{{"", file}}} }

func forReview(file, label string) Entry {
	return Entry{Label: label, Pages: []Tab{{"", file}}, ForReview: true}
}
