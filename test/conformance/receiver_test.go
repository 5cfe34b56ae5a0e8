package conformance

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// redirectURI is where the answers of every app here go.
const redirectURI = "https://" + appHost + "/callback"

// answer is what reached a redirect URI.
type answer struct {
	Method string
	Query  url.Values
	Form   url.Values
}

// startReceiver starts what answers at the apps' redirect URI, and gives its
// address.
func (s *server) startReceiver(t *testing.T) string {
	t.Helper()
	receiver := httptest.NewUnstartedServer(http.HandlerFunc(receive))
	receiver.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.authority.server(t, appHost)}}
	receiver.StartTLS()
	t.Cleanup(receiver.Close)
	return receiver.Listener.Addr().String()
}

// receive answers the browser with what it brought.
func receive(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(answer{Method: r.Method, Query: r.URL.Query(), Form: r.PostForm}) // the browser has gone
}
