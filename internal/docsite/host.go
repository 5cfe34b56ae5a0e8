package docsite

import (
	"embed"
	"html/template"
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
	// Reader gives who reads, with what the layout shows around a page of a section of
	// the site.
	Reader(r *http.Request, section string) (web.PortalReader, error)
	// Limited is the phase that counts a request for a page; RateLimited where its
	// sender asked too much.
	Limited(next web.Handler) web.Handler
}

// Host serves the documentation.
type Host struct {
	contents             *contents
	layout               *web.Pages
	readers              Readers
	developers           *url.URL
	catalogue            []byte
	overview, everything []byte
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
	hosts := addresses{identity: config.Identity, clinical: config.Clinical, developers: config.Developers}
	contents, err := render(docs.Files, docs.Contents(), hosts)
	if err != nil {
		return nil, err
	}
	apis, err := catalogue(hosts)
	if err != nil {
		return nil, err
	}
	return &Host{
		contents: contents, layout: layout, readers: config.Readers, developers: config.Developers, catalogue: apis,
		overview: contents.overview(config.Developers), everything: contents.everything(config.Developers),
	}, nil
}

// Mount adds a route for each page and each image to the developers' site.
func (h *Host) Mount(site *web.Site) {
	for path, page := range h.contents.pages {
		site.Page("GET "+path, h.readers.Limited(h.show(page)))
		site.File("GET "+page.sourcePath(), h.readers.Limited(page.asMarkdown))
	}
	site.Page("GET "+SearchPath, h.readers.Limited(h.search))
	site.File("GET /llms.txt", h.readers.Limited(asText(h.overview)))
	site.File("GET /llms-full.txt", h.readers.Limited(asText(h.everything)))
	site.PublicAPI("GET "+CataloguePath, h.showCatalogue)
	// What a page brings with it is not counted: one visit is one request.
	for path, image := range h.contents.images {
		site.File("GET "+path, image.serve)
	}
}

// asText answers with a text that is the same for everybody.
func asText(content []byte) web.Handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		writeText(w, "text/plain", content)
		return nil
	}
}

// view is the data of doc.html.
type view struct {
	web.PortalFrame
	*page
	Body     template.HTML // with the reader's own client ID
	Sections []section
	Request  string         // the request that an error's page is asked about; empty: none
	Current  string         // the entry of the contents that the reader is at
	Source   string         // the page as Markdown
	App      *web.PortalApp // whose values the samples show; nil: invented ones
	Others   []web.PortalApp
}

// show answers GET for one page, or with its source to who prefers that.
func (h *Host) show(shown *page) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Add("Vary", "Accept")
		if wantsMarkdown(r) {
			return shown.asMarkdown(w, r)
		}
		reader, err := h.readers.Reader(r, "docs")
		if err != nil {
			return err
		}
		data := view{
			PortalFrame: reader.Frame, page: shown, Body: shown.Body, Sections: h.contents.sections,
			Request: askedAbout(r), Current: shown.Entry, Source: shown.sourcePath(),
		}
		data.take(reader.Apps, loop.ClientID(r.URL.Query().Get("app")))
		web.AllowPage(w.Header(), "'self'", "script-src 'self'", "connect-src 'self'") // the script copies code, and the page's source
		return h.layout.Render(w, http.StatusOK, "doc", data)
	}
}

// sampleID is the client ID that samples have.
const sampleID = "client_01K9Z6V2QX8M4T7R3E5W1B0N6C"

// take puts an app of the reader's into the samples: the one that they chose, or else
// their newest.
func (v *view) take(apps []web.PortalApp, chosen loop.ClientID) {
	for i, app := range apps {
		if v.App == nil || app.ID == chosen {
			v.App = &apps[i]
		}
	}
	if v.App == nil {
		return
	}
	for _, app := range apps {
		if app.ID != v.App.ID {
			v.Others = append(v.Others, app)
		}
	}
	v.Body = template.HTML(strings.ReplaceAll(string(v.Body), sampleID, string(v.App.ID))) //nolint:gosec // G203: our own page, with an id of ours in place of another
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
