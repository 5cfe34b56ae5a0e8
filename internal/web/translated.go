package web

import (
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"text/template/parse"
	"time"

	"github.com/loop-health/loop/internal/locale"
)

// Translated is a host's pages in every language.
type Translated struct{ byLanguage map[string]*Pages }

// ParseTranslated parses pages as ParsePages does, in each language, within a layout
// such as member. Beside what every page has, templates have functions for texts:
//
//	text "key" args…       a text
//	marked "key" args…     a text whose arguments are set apart from it (<bdi>), since
//	                       they may be written in the other direction; not in attributes
//	count "key" n args…    a text that says how many
//	day t, moment t, number n, wait d; machine t: a moment for programs
//	notice n               what a member has to know (loop.Notice)
//	fault e                what a member reads of an error (*loop.Error)
//	scopeTitle s, scopeDetail s
//	language, languages    the tag of the page's language; all languages
//
// A key that there is no text for is an error.
func ParseTranslated(layout string, fsys fs.FS, texts *locale.Texts) (*Translated, error) {
	t := &Translated{byLanguage: map[string]*Pages{}}
	for _, l := range texts.Languages() {
		pages, err := parsePages(layout, fsys, textFunctions(texts, l), "pages/member_parts/*.html")
		if err != nil {
			return nil, err
		}
		for name, page := range pages.byName {
			if err := checkKeys(page, l); err != nil {
				return nil, fmt.Errorf("the page %s in %s: %w", name, l.Name, err)
			}
		}
		t.byLanguage[l.Tag] = pages
	}
	return t, nil
}

// Render writes a page in a language. What else could have been answered depends on
// the browser's wishes and its cookies (RFC 9110 §12.5.5).
func (t *Translated) Render(w http.ResponseWriter, l *locale.Language, status int, name string, data any) error {
	w.Header().Set("Content-Language", l.Tag)
	w.Header().Add("Vary", "Accept-Language, Cookie")
	return t.byLanguage[l.Tag].Render(w, status, name, data)
}

func textFunctions(texts *locale.Texts, l *locale.Language) template.FuncMap {
	return template.FuncMap{
		"language":    func() string { return l.Tag },
		"languages":   texts.Languages,
		"machine":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"text":        l.Text,
		"marked":      func(key string, args ...any) template.HTML { return marked(l, key, args) },
		"count":       l.Count,
		"number":      l.Number,
		"day":         l.Day,
		"shortMonth":  l.ShortMonth,
		"moment":      l.Moment,
		"wait":        l.Wait,
		"notice":      l.Notice,
		"fault":       l.Fault,
		"scopeTitle":  l.ScopeTitle,
		"scopeDetail": l.ScopeDetail,
	}
}

// marked escapes a text and its arguments, and sets the arguments apart.
func marked(l *locale.Language, key string, args []any) template.HTML {
	set := make([]any, len(args))
	for i, arg := range args {
		set[i] = "<bdi>" + template.HTMLEscapeString(l.Argument(arg)) + "</bdi>"
	}
	return template.HTML(l.Escaped(key, set...)) //nolint:gosec // G203: text and arguments are escaped
}

// checkKeys holds the keys that a page names to the texts of a language.
func checkKeys(page *template.Template, l *locale.Language) error {
	for _, t := range page.Templates() {
		if t.Tree == nil {
			continue
		}
		for key, counts := range keysIn(t.Tree.Root) {
			there, counted := l.Has(key)
			if !there {
				return fmt.Errorf("there is no text %s", key)
			}
			if counts != counted {
				return fmt.Errorf("the text %s has plural forms, or has none, unlike its use", key)
			}
		}
	}
	return nil
}

// keysIn finds the keys that a template names, and whether they count something.
func keysIn(root parse.Node) map[string]bool {
	found := map[string]bool{}
	walk(root, func(n parse.Node) {
		command, ok := n.(*parse.CommandNode)
		if !ok || len(command.Args) < 2 {
			return
		}
		function, ok := command.Args[0].(*parse.IdentifierNode)
		key, literal := command.Args[1].(*parse.StringNode)
		if ok && literal && strings.Contains(" text marked count ", " "+function.Ident+" ") {
			found[key.Text] = function.Ident == "count"
		}
	})
	return found
}

// walk visits a node of a template and all beneath it.
func walk(n parse.Node, visit func(parse.Node)) {
	visit(n)
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			walkAll(n.Nodes, visit)
		}
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, visit)
		}
	case *parse.PipeNode:
		walkAll(n.Cmds, visit)
	case *parse.CommandNode:
		walkAll(n.Args, visit)
	case *parse.IfNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, visit)
	}
}

func walkAll[N parse.Node](nodes []N, visit func(parse.Node)) {
	for _, n := range nodes {
		walk(n, visit)
	}
}

func walkBranch(n *parse.BranchNode, visit func(parse.Node)) {
	walk(n.Pipe, visit)
	walk(n.List, visit)
	if n.ElseList != nil {
		walk(n.ElseList, visit)
	}
}
