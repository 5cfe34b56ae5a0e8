// Package docsite serves the pages of docs/ on the developers' host: all
// are rendered when the process starts, and a link that leads nowhere stops it.
//
// What a page says is in docs/. Which files there are and how they are linked is
// in contents.go, how Markdown becomes HTML in markdown.go, drawing.go and highlight.go,
// how pages are found in search.go and words.go; what programs read is in source.go,
// llms.go and catalogue.go.
// Start with host.go. (Go's build skips a package named documentation.)
package docsite
