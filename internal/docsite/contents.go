package docsite

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/loop-health/loop/docs"
	"github.com/loop-health/loop/internal/web"
)

// errorsPath is the page that lists all error codes; a page about one is beneath.
const errorsPath = web.DocumentationPath + "/errors"

// pagePath is the address of the page in a file: the file's name without the
// ending; an index is its folder.
func pagePath(file string) string {
	name := strings.TrimSuffix(file, ".md")
	if path.Base(name) == "index" {
		name = path.Dir(name)
	}
	return path.Join(web.DocumentationPath, name)
}

// addresses are the hosts as they are configured. The pages name them as they are
// in production, and are shown with these in their place.
type addresses struct{ identity, clinical, developers *url.URL }

func (a addresses) replacer() *strings.Replacer {
	return strings.NewReplacer(
		"https://identity.platform.loop.health", a.identity.String(),
		url.QueryEscape("https://identity.platform.loop.health"), url.QueryEscape(a.identity.String()),
		"https://clinical.platform.loop.health", a.clinical.String(),
		"https://developers.platform.loop.health", a.developers.String(),
		url.QueryEscape("https://developers.platform.loop.health"), url.QueryEscape(a.developers.String()),
	)
}

// contents is every page, rendered, and every image, by address.
type contents struct {
	sections []section
	order    []*page // every page, as one would read them
	pages    map[string]*page
	images   map[string]image
	index    func() *index // made for the first search: a start has no need of it
}

// section is a group of pages in the list beside each page.
type section struct {
	Title   string
	Entries []entry
}

// entry is a line of that list: a page, or several that are tabs of one another.
type entry struct {
	Label string
	Path  string
	tabs  []*page
}

// page is a page as it is shown.
type page struct {
	Path    string
	Title   string
	Summary string // its first sentences, as plain text
	Body    template.HTML
	Parts   []heading // its main headings

	Tabs           []tab // the pages beside it, where it is one of several
	Entry          string
	Previous, Next *entry

	anchors  map[string]bool // the ids of its headings
	links    []string        // to other pages, as they were resolved
	passages []*passage
	markdown []byte

	forReview bool // for who reviews the platform, not for who builds on it
}

// heading is a part of a page that can be linked to.
type heading struct{ Text, Anchor string }

// tab is one of the pages that answer one question in several ways.
type tab struct{ Label, Path string }

// image is an image that pages show.
type image struct {
	content     []byte
	contentType string
}

// render renders all pages. Every fault is reported: a page in the contents that
// is not there, a link to a page or a heading that is not there.
func render(files fs.FS, listed []docs.Section, hosts addresses) (*contents, error) {
	c := &contents{pages: map[string]*page{}, images: map[string]image{}}
	drawings, err := readDrawings(files)
	if err != nil {
		return nil, err
	}
	writer := newWriter(drawings)
	err = fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return c.add(files, file, hosts, writer)
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.arrange(listed), c.checkLinks()); err != nil {
		return nil, err
	}
	var passages []*passage
	for _, p := range c.order {
		passages = append(passages, p.passages...)
	}
	c.index = sync.OnceValue(func() *index { return newIndex(passages) })
	return c, nil
}

// add takes in a file: a page, or else an image.
func (c *contents) add(files fs.FS, file string, hosts addresses, writer writer) error {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	if path.Ext(file) != ".md" {
		c.images[path.Join(web.DocumentationPath, file)] = image{text, mime.TypeByExtension(path.Ext(file))}
		return nil
	}
	rendered, err := writer.page(file, []byte(hosts.replacer().Replace(string(text))), hosts.developers)
	if err != nil {
		return fmt.Errorf("rendering docs/%s: %w", file, err)
	}
	c.pages[rendered.Path] = rendered
	return nil
}

// arrange puts the pages into the order of the contents; those that it does not name,
// which are about single errors, come last.
func (c *contents) arrange(listed []docs.Section) error {
	var faults []error
	for _, group := range listed {
		arranged := section{Title: group.Title}
		for _, named := range group.Entries {
			made, err := c.entry(named)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			arranged.Entries = append(arranged.Entries, made)
			c.order = append(c.order, made.tabs...)
		}
		c.sections = append(c.sections, arranged)
	}
	c.follow()
	for _, path := range slices.Sorted(maps.Keys(c.pages)) {
		if p := c.pages[path]; p.Entry == "" {
			p.Entry = errorsPath
			c.order = append(c.order, p)
		}
	}
	return errors.Join(faults...)
}

// entry finds the pages of an entry of the contents.
func (c *contents) entry(named docs.Entry) (entry, error) {
	var made entry
	var tabs []tab
	for _, t := range named.Pages {
		found, ok := c.pages[pagePath(t.File)]
		if !ok {
			return entry{}, fmt.Errorf("the contents name docs/%s.md, which is not there", t.File)
		}
		made.tabs = append(made.tabs, found)
		tabs = append(tabs, tab{t.Label, found.Path})
	}
	made.Path, made.Label = made.tabs[0].Path, cmp.Or(named.Label, made.tabs[0].Title)
	for _, p := range made.tabs {
		p.Entry, p.forReview = made.Path, named.ForReview
		if len(tabs) > 1 {
			p.Tabs = tabs
		}
	}
	return made, nil
}

// follow tells each page which entry comes before and which after it.
func (c *contents) follow() {
	var entries []*entry
	for i := range c.sections {
		for j := range c.sections[i].Entries {
			entries = append(entries, &c.sections[i].Entries[j])
		}
	}
	for i, e := range entries {
		for _, p := range e.tabs {
			if i > 0 {
				p.Previous = entries[i-1]
			}
			if i+1 < len(entries) {
				p.Next = entries[i+1]
			}
		}
	}
}

// checkLinks follows every link from page to page, to its heading.
func (c *contents) checkLinks() error {
	var faults []error
	for _, from := range c.pages {
		for _, link := range from.links {
			target, anchor, _ := strings.Cut(link, "#")
			_, isImage := c.images[target]
			to, isPage := c.pages[target]
			if isImage || isPage && (anchor == "" || to.anchors[anchor]) {
				continue
			}
			faults = append(faults, fmt.Errorf("%s links to %s, which is not there", from.Path, link))
		}
	}
	return errors.Join(faults...)
}
