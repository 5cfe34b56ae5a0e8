package portal

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/loop-health/loop/docs"
	"github.com/loop-health/loop/internal/loop"
)

// docsPath is where the documentation begins. Each page has one address beneath:
// its file's name without the ending; an index is its folder.
const docsPath = "/docs"

// ErrorPath is where the page about an error code is.
func ErrorPath(code loop.Code) string { return docsPath + "/errors/" + string(code) }

// pagePath is the address of the page in a file.
func pagePath(file string) string {
	name := strings.TrimSuffix(file, ".md")
	if path.Base(name) == "index" {
		name = path.Dir(name)
	}
	return path.Join(docsPath, name)
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

// documentation is every page, rendered, and every image, by address.
type documentation struct {
	sections []docSection
	pages    map[string]*docPage
	images   map[string]docImage
}

// docSection is a group of the contents.
type docSection struct {
	Title string
	Pages []*docPage
}

// docPage is a page as it is shown.
type docPage struct {
	Path  string
	Title string
	Body  template.HTML

	anchors map[string]bool // the ids of its headings
	links   []string        // to other pages, as they were resolved
}

// newDocumentation renders all pages. Every fault is told: a page in the contents
// that is not there, a link to a page or a heading that is not there.
func newDocumentation(files fs.FS, contents []docs.Section, hosts addresses) (*documentation, error) {
	d := &documentation{pages: map[string]*docPage{}, images: map[string]docImage{}}
	err := fs.WalkDir(files, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return d.add(files, file, hosts)
	})
	if err != nil {
		return nil, err
	}
	return d, errors.Join(d.arrange(contents), d.checkLinks())
}

// add takes in a file: a page, or else an image.
func (d *documentation) add(files fs.FS, file string, hosts addresses) error {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	if path.Ext(file) != ".md" {
		d.images[path.Join(docsPath, file)] = docImage{text, mime.TypeByExtension(path.Ext(file))}
		return nil
	}
	page, err := renderPage(file, hosts.replacer().Replace(string(text)), hosts.developers)
	if err != nil {
		return fmt.Errorf("rendering docs/%s: %w", file, err)
	}
	d.pages[page.Path] = page
	return nil
}

func (d *documentation) arrange(contents []docs.Section) error {
	var faults []error
	for _, section := range contents {
		arranged := docSection{Title: section.Title}
		for _, file := range section.Pages {
			page, ok := d.pages[pagePath(file)]
			if !ok {
				faults = append(faults, fmt.Errorf("the contents name docs/%s.md, which is not there", file))
				continue
			}
			arranged.Pages = append(arranged.Pages, page)
		}
		d.sections = append(d.sections, arranged)
	}
	return errors.Join(faults...)
}

// checkLinks follows every link from page to page, to its heading.
func (d *documentation) checkLinks() error {
	var faults []error
	for _, page := range d.pages {
		for _, link := range page.links {
			target, anchor, _ := strings.Cut(link, "#")
			_, image := d.images[target]
			to, ok := d.pages[target]
			if image || ok && (anchor == "" || to.anchors[anchor]) {
				continue
			}
			faults = append(faults, fmt.Errorf("%s links to %s, which is not there", page.Path, link))
		}
	}
	return errors.Join(faults...)
}

// docView is the data of doc.html.
type docView struct {
	frame
	*docPage
	Sections []docSection
	Current  string // the page of the contents that the reader is at
}

// showDoc answers GET for one page.
func (h *Host) showDoc(page *docPage) func(http.ResponseWriter, *http.Request) error {
	current := page.Path
	if strings.HasPrefix(current, docsPath+"/errors/") {
		current = docsPath + "/errors"
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		dev, err := h.developer(r)
		if err != nil {
			return err
		}
		return h.render(w, http.StatusOK, "doc", docView{frame: h.frame("docs", dev), docPage: page, Sections: h.docs.sections, Current: current})
	}
}

// docImage is an image of the documentation.
type docImage struct {
	content     []byte
	contentType string
}

func (i docImage) serve(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", i.contentType)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(i.content) // the browser has gone: nobody is left to tell
	return nil
}
