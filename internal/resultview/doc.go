// Package resultview shows lab results to people: in the words of their language
// (Words), as a mark on the range that they were held against (Gauge), and over time
// (History). Drawings are SVG that the server makes: without scripts, in the colours of
// the page's scheme, and never the only place where something is said.
package resultview
