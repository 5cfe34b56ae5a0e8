package docsite

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/url"
	"path"
	"strings"

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
	pages    map[string]*page
	images   map[string]image
}

// section is a group of pages in the list beside each page.
type section struct {
	Title string
	Pages []*page
}

// page is a page as it is shown.
type page struct {
	Path  string
	Title string
	Body  template.HTML

	anchors map[string]bool // the ids of its headings
	links   []string        // to other pages, as they were resolved
}

// image is an image that pages show.
type image struct {
	content     []byte
	contentType string
}

// render renders all pages. Every fault is reported: a page in the contents that
// is not there, a link to a page or a heading that is not there.
func render(files fs.FS, listed []docs.Section, hosts addresses) (*contents, error) {
	c := &contents{pages: map[string]*page{}, images: map[string]image{}}
	err := fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return c.add(files, file, hosts)
	})
	if err != nil {
		return nil, err
	}
	return c, errors.Join(c.arrange(listed), c.checkLinks())
}

// add takes in a file: a page, or else an image.
func (c *contents) add(files fs.FS, file string, hosts addresses) error {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	if path.Ext(file) != ".md" {
		c.images[path.Join(web.DocumentationPath, file)] = image{text, mime.TypeByExtension(path.Ext(file))}
		return nil
	}
	rendered, err := renderPage(file, []byte(hosts.replacer().Replace(string(text))), hosts.developers)
	if err != nil {
		return fmt.Errorf("rendering docs/%s: %w", file, err)
	}
	c.pages[rendered.Path] = rendered
	return nil
}

func (c *contents) arrange(listed []docs.Section) error {
	var faults []error
	for _, group := range listed {
		arranged := section{Title: group.Title}
		for _, file := range group.Pages {
			found, ok := c.pages[pagePath(file)]
			if !ok {
				faults = append(faults, fmt.Errorf("the contents name docs/%s.md, which is not there", file))
				continue
			}
			arranged.Pages = append(arranged.Pages, found)
		}
		c.sections = append(c.sections, arranged)
	}
	return errors.Join(faults...)
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
