package web

import (
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"
)

// NewServer is the one way in which a handler gets a server: every wait has an
// end, so that half-sent requests and clients that do not read hold nothing for
// long. The limit of headers is above the Site's own, whose answer is an error
// in the platform's form.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 60 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               512 << 10,
		DisableGeneralOptionsHandler: true, // OPTIONS * goes through the Site like everything else
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// ByHost serves several hosts behind one listener, each by the name that requests
// give. A request for any other was led here by mistake (RFC 9110 §15.5.20).
func ByHost(hosts map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.ToLower(r.Host)
		host, ok := hosts[name]
		if !ok { // some proxies and clients write the default port too; the host itself knows which is its
			host, ok = hosts[strings.TrimSuffix(strings.TrimSuffix(name, ":443"), ":80")]
		}
		if !ok {
			maps.Copy(w.Header(), strictHeaders())
			http.Error(w, "This connection leads to Connect with Loop, and the request names a host that is not here.", http.StatusMisdirectedRequest)
			return
		}
		host.ServeHTTP(w, r)
	})
}
