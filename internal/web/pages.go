package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/web/asset"
)

//go:embed pages/*.html
var layouts embed.FS

// Pages is a host's pages, parsed when the process starts, so that a broken one
// stops the boot.
type Pages struct{ byName map[string]*template.Template }

// ParsePages parses every *.html file of fsys as one page, named by its file
// without the ending, within a layout: member, account or portal. A page defines the
// templates title and main.
func ParsePages(layout string, fsys fs.FS) (*Pages, error) {
	base, err := template.New(layout+".html").Funcs(functions()).ParseFS(layouts, "pages/mark.html", "pages/app.html", "pages/settings.html", "pages/reads.html", "pages/"+layout+".html")
	if err != nil {
		return nil, fmt.Errorf("parsing the layout %s: %w", layout, err)
	}
	files, err := fs.Glob(fsys, "*.html")
	if err != nil {
		return nil, err
	}
	pages := &Pages{byName: map[string]*template.Template{}}
	for _, file := range files {
		page, err := base.Clone()
		if err == nil {
			page, err = page.ParseFS(fsys, file)
		}
		if err != nil {
			return nil, fmt.Errorf("parsing the page %s: %w", file, err)
		}
		pages.byName[strings.TrimSuffix(path.Base(file), ".html")] = page
	}
	return pages, nil
}

// PortalFrame is what the layout portal shows around a page; the data of each of
// its pages embeds it.
type PortalFrame struct {
	Section   string // apps or docs: which is marked in the header
	Developer string // the name of who is signed in; empty: nobody
	CSRF      string // of the form that signs out
}

// AccountFrame is what the layout account shows around a page; the data of each of its
// pages embeds it.
type AccountFrame struct {
	Section string // apps or activity: which is marked in the header
	Member  string // the name of who is signed in
	CSRF    string // of every form
}

func functions() template.FuncMap {
	return template.FuncMap{
		"stylesheet": func() string { return asset.Stylesheet().Path },
		"mark":       func() string { return asset.Mark().Path },
		"formPost":   func() string { return asset.FormPost().Path },
		"copy":       func() string { return asset.Copy().Path },
	}
}

// Render writes a page: into memory first, so that a fault in it is an error and
// never half an answer. Pages are private: nothing may keep them.
func (p *Pages) Render(w http.ResponseWriter, status int, name string, data any) error {
	page, ok := p.byName[name]
	if !ok {
		return fmt.Errorf("there is no page %s", name)
	}
	var body bytes.Buffer
	if err := page.Execute(&body, data); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the browser has gone: nobody reads the error
	return nil
}
