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

	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/web/asset"
)

//go:embed pages/*.html pages/parts/*.html pages/member_parts/*.html
var layouts embed.FS

// Pages is a host's pages in one language, parsed when the process starts, so that a
// broken one stops the boot.
type Pages struct{ byName map[string]*template.Template }

// ParsePages parses every *.html file of fsys as one page in English, named by its
// file without the ending, within a layout such as portal. A page defines the
// templates title and main.
func ParsePages(layout string, fsys fs.FS) (*Pages, error) {
	return parsePages(layout, fsys, template.FuncMap{"language": func() string { return locale.English }})
}

// parsePages parses pages with more functions, and more files of layouts.
func parsePages(layout string, fsys fs.FS, more template.FuncMap, parts ...string) (*Pages, error) {
	parts = append(parts, "pages/parts/*.html", "pages/"+layout+".html")
	base, err := template.New(layout+".html").Funcs(functions()).Funcs(more).ParseFS(layouts, parts...)
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

func functions() template.FuncMap {
	return template.FuncMap{
		"stylesheet": func() string { return asset.Stylesheet().Path },
		"mark":       func() string { return asset.Mark().Path },
		"formPost":   func() string { return asset.FormPost().Path },
		"passkey":    func() string { return asset.Passkey().Path },
		"copy":       func() string { return asset.Copy().Path },

		"showPassword": func() string { return asset.ShowPassword().Path },
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
