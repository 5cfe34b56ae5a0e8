package dev

import (
	"context"
	"embed"
	"html/template"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// Inbox keeps what a platform on a laptop would have sent, in memory, and shows it as
// pages. It is a mail.Sender, and safe for concurrent use.
type Inbox struct {
	world loop.World

	mu    sync.Mutex
	mails []received // oldest first
}

type received struct {
	mail.Mail
	At time.Time
}

// maxMails is how many mails an inbox keeps: the oldest go.
const maxMails = 200

// NewInbox makes an empty inbox.
func NewInbox(w loop.World) *Inbox { return &Inbox{world: w} }

// Send keeps a mail (mail.Sender). One that comes again, by its name, is kept once.
func (i *Inbox) Send(_ context.Context, m mail.Mail) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, known := range i.mails {
		if known.ID == m.ID {
			return nil
		}
	}
	i.mails = append(i.mails, received{m, i.world.Now()})
	i.mails = i.mails[max(0, len(i.mails)-maxMails):]
	return nil
}

// all gives the mails, newest first.
func (i *Inbox) all() []received {
	i.mu.Lock()
	defer i.mu.Unlock()
	newest := make([]received, 0, len(i.mails))
	for at := len(i.mails) - 1; at >= 0; at-- {
		newest = append(newest, i.mails[at])
	}
	return newest
}

func (i *Inbox) find(id string) (received, bool) {
	for _, m := range i.all() {
		if m.ID == id {
			return m, true
		}
	}
	return received{}, false
}

//go:embed inbox_pages/*.html
var inboxPages embed.FS

var inboxTemplates = template.Must(template.ParseFS(inboxPages, "inbox_pages/*.html"))

// Handler shows the mails: a list, each as text, and each as HTML in a page that may
// do nothing. It answers requests that name this machine alone, so that no page of the
// web can have its own name lead here and read them.
func (i *Inbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { show(w, "list.html", i.all()) })
	mux.HandleFunc("GET /mails/{id}", func(w http.ResponseWriter, r *http.Request) {
		if m, ok := i.find(r.PathValue("id")); ok {
			show(w, "mail.html", m)
			return
		}
		http.NotFound(w, r)
	})
	mux.HandleFunc("GET /mails/{id}/html", func(w http.ResponseWriter, r *http.Request) {
		m, ok := i.find(r.PathValue("id"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		head(w, "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-top-navigation-by-user-activation")
		_, _ = w.Write([]byte(m.HTML)) // the browser has gone: nobody reads the error
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !namesThisMachine(r.Host) {
			http.Error(w, "The inbox answers at localhost alone.", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func namesThisMachine(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	address := net.ParseIP(name)
	return name == "localhost" || address != nil && address.IsLoopback()
}

func show(w http.ResponseWriter, name string, data any) {
	head(w, "default-src 'none'; style-src 'unsafe-inline'")
	_ = inboxTemplates.ExecuteTemplate(w, name, data) // the browser has gone: nobody reads the error
}

func head(w http.ResponseWriter, policy string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy+"; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}
