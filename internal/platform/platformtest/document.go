package platformtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

// DocumentApp is an app that nobody registered: it describes itself in a document.
type DocumentApp struct {
	*App
	Host string // of its document

	mu      sync.Mutex
	members map[string]any
	answer  http.HandlerFunc // nil: the document
	fetched int
}

// AddDocumentApp starts a server with an app's metadata document. The platform MUST be
// configured to fetch from 127.0.0.1.
func (p *Platform) AddDocumentApp(t testing.TB) *DocumentApp {
	t.Helper()
	d := &DocumentApp{}
	server := httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(server.Close)
	id := server.URL + "/client.json"
	d.Host = server.Listener.Addr().String()
	d.App = &App{Client: &loop.Client{ID: loop.ClientID(id), Type: loop.Public, RedirectURIs: []loop.RedirectURI{Callback}, Protocol: loop.Protocol{AuthMethod: loop.AuthNone}}, t: t, p: p}
	d.members = map[string]any{
		"client_id": id, "client_name": "Night Assistant", "redirect_uris": []string{Callback}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"}, "client_uri": "https://app.example.com/",
	}
	return d
}

func (d *DocumentApp) serve(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.fetched++
	answer, members := d.answer, maps.Clone(d.members)
	d.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(members)
}

// Describe changes the document: a member that is nil is taken out.
func (d *DocumentApp) Describe(changes map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, value := range changes {
		d.members[name] = value
		if value == nil {
			delete(d.members, name)
		}
	}
}

// Answer has the server answer otherwise; nil: with the document again.
func (d *DocumentApp) Answer(handler http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = handler
}

// Fetched is how often the document was asked for.
func (d *DocumentApp) Fetched() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fetched
}
