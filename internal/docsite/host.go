package docsite

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/loop-health/loop/docs"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Config is what the host needs.
type Config struct {
	// The addresses of the three hosts, which the pages name.
	Identity, Clinical, Developers *url.URL
	Readers                        Readers
}

// Readers is what the documentation needs to know of who reads it.
type Readers interface {
	// Frame gives what the layout shows around a page of a section of the site.
	Frame(r *http.Request, section string) (web.PortalFrame, error)
	// Limited is the phase that counts a request for a page; RateLimited where its
	// sender asked too much.
	Limited(next web.Handler) web.Handler
}

// Host serves the documentation.
type Host struct {
	contents *contents
	layout   *web.Pages
	readers  Readers
}

// New renders the documentation. A page that does not parse and a link that leads
// nowhere are errors.
func New(config Config) (*Host, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	layout, err := web.ParsePages("portal", files)
	if err != nil {
		return nil, err
	}
	contents, err := render(docs.Files, docs.Contents(), addresses{
		identity: config.Identity, clinical: config.Clinical, developers: config.Developers,
	})
	if err != nil {
		return nil, err
	}
	return &Host{contents: contents, layout: layout, readers: config.Readers}, nil
}

// Mount adds a route for each page and each image to the developers' site.
func (h *Host) Mount(site *web.Site) {
	for path, page := range h.contents.pages {
		site.Page("GET "+path, h.readers.Limited(h.show(page)))
	}
	// What a page brings with it is not counted: one visit is one request.
	for path, image := range h.contents.images {
		site.File("GET "+path, image.serve)
	}
}

// view is the data of doc.html.
type view struct {
	web.PortalFrame
	*page
	Sections []section
	Request  string // the request that an error's page is asked about; empty: none
	Current  string // the page of the contents that the reader is at
}

// show answers GET for one page.
func (h *Host) show(shown *page) web.Handler {
	current := shown.Path
	if strings.HasPrefix(current, errorsPath+"/") {
		current = errorsPath
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		frame, err := h.readers.Frame(r, "docs")
		if err != nil {
			return err
		}
		web.AllowPage(w.Header(), "'self'", "script-src 'self'") // the script that copies code
		return h.layout.Render(w, http.StatusOK, "doc", view{frame, shown, h.contents.sections, askedAbout(r), current})
	}
}

// askedAbout is the id of the request that an error led here from; empty: there is none.
func askedAbout(r *http.Request) string {
	if id := loop.RequestID(r.URL.Query().Get(web.RequestParameter)); id.Valid() {
		return string(id)
	}
	return ""
}

// serve answers GET for an image.
func (i image) serve(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", i.contentType)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(i.content) // an error means that the browser has gone
	return nil
}
