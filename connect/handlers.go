package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How long a flow may take, and how long a member stays signed in to the app.
const (
	flowLife    = 30 * time.Minute
	sessionLife = 7 * 24 * time.Hour
)

// LoginHandler sends the browser to Loop. The parameter return_to names the path of the
// app's own where the member goes afterwards, in 512 bytes at most. Each flow has a
// cookie of its own, so that two tabs do not disturb each other; of more than five in one
// browser, the oldest end.
func (c *Client) LoginHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, flow, err := c.Begin(r.Context(), r.URL.Query().Get("return_to"))
		if err != nil {
			c.fail(w, r, err)
			return
		}
		plaintext, err := json.Marshal(storedFlow{string(flow.State), string(flow.Nonce), string(flow.Verifier), flow.ReturnTo, c.config.Now()})
		if err != nil {
			c.fail(w, r, err)
			return
		}
		c.makeRoom(w, r)
		c.setCookie(w, flowCookie(string(flow.State)), plaintext, flowLife)
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, address, http.StatusFound) //nolint:gosec // G710: to Loop, as discovered
	})
}

// storedFlow is a Flow within its sealed cookie.
type storedFlow struct {
	State, Nonce, Verifier, ReturnTo string

	Began time.Time
}

const flowPrefix = "flow_"

// flowCookie is the name of a flow's cookie.
func flowCookie(state string) string {
	sum := sha256.Sum256([]byte(state))
	return flowPrefix + hex.EncodeToString(sum[:8])
}

// maxFlows is how many flows of one browser go on at a time. Servers take some 8 KiB of
// cookies, and a flow needs one.
const maxFlows = 5

// makeRoom ends the oldest flows of the browser, so that with the one that begins there
// are no more than maxFlows: pages that begin logins by themselves must not fill the
// browser's cookies until no server takes its requests. What can't be read goes first.
func (c *Client) makeRoom(w http.ResponseWriter, r *http.Request) {
	prefix := c.cookieName(flowPrefix)
	began := make(map[string]time.Time) // of each flow, by its cookie's name
	for _, cookie := range r.Cookies() {
		if !strings.HasPrefix(cookie.Name, prefix) {
			continue
		}
		name := flowPrefix + strings.TrimPrefix(cookie.Name, prefix)
		var held storedFlow
		if plaintext, err := c.cookies.openText(cookie.Value, name); err == nil {
			_ = json.Unmarshal(plaintext, &held) // of what can't be read, Began is 0
		}
		began[name] = held.Began
	}
	oldest := slices.SortedFunc(maps.Keys(began), func(a, b string) int { return began[a].Compare(began[b]) })
	for _, name := range oldest[:max(0, len(oldest)-maxFlows+1)] {
		c.endCookie(w, name)
	}
}

// CallbackHandler takes Loop's answer at the redirect URL: it keeps the member's tokens,
// signs them in to the app, and sends them on. Whatever goes wrong is answered by
// Config.OnError.
func (c *Client) CallbackHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer") // the address has the code in it
		name := flowCookie(r.URL.Query().Get("state"))
		var held storedFlow
		plaintext, err := c.readCookie(r, name)
		if err == nil {
			err = json.Unmarshal(plaintext, &held)
		}
		if err != nil {
			c.fail(w, r, fmt.Errorf("%w: begin again", ErrForeignAnswer))
			return
		}
		c.endCookie(w, name)
		flow := Flow{State: Secret(held.State), Nonce: Secret(held.Nonce), Verifier: Secret(held.Verifier), ReturnTo: held.ReturnTo}
		login, err := c.Finish(r.Context(), flow, r.URL.Query())
		if err != nil {
			c.fail(w, r, err)
			return
		}
		if err := c.StartSession(w, login.Member); err != nil {
			c.fail(w, r, err)
			return
		}
		http.Redirect(w, r, login.ReturnTo, http.StatusSeeOther) //nolint:gosec // G710: localPath has judged it
	})
}

// session is what the session's cookie holds.
type session struct {
	Member string    `json:"member"`
	Until  time.Time `json:"until"`
}

// StartSession signs a member in to the app, in this browser, for a week.
func (c *Client) StartSession(w http.ResponseWriter, member string) error {
	plaintext, err := json.Marshal(session{member, c.config.Now().Add(sessionLife)})
	if err != nil {
		return err
	}
	c.setCookie(w, sessionCookie, plaintext, sessionLife)
	return nil
}

const sessionCookie = "session"

// Session gives the member who is signed in to the app in the request's browser;
// ErrNoSession where nobody is.
func (c *Client) Session(r *http.Request) (member string, err error) {
	plaintext, err := c.readCookie(r, sessionCookie)
	if err != nil {
		return "", ErrNoSession
	}
	var held session
	if err := json.Unmarshal(plaintext, &held); err != nil || !c.config.Now().Before(held.Until) {
		return "", ErrNoSession
	}
	return held.Member, nil
}

// EndSession signs the member out of the app, in this browser. Their tokens stay:
// Forget ends those.
func (c *Client) EndSession(w http.ResponseWriter) { c.endCookie(w, sessionCookie) }

// cookieName begins with __Host- wherever browsers take that: over https (RFC 6265bis
// §4.1.3.2). On plain http the app and Loop are both on localhost, whose cookies all
// ports share, and Loop's own begin with loop_.
func (c *Client) cookieName(name string) string {
	if c.isSecure() {
		return "__Host-loop_" + name
	}
	return "loop_app_" + name
}

func (c *Client) isSecure() bool { return c.redirect.Scheme == "https" }

func (c *Client) setCookie(w http.ResponseWriter, name string, plaintext []byte, life time.Duration) {
	http.SetCookie(w, c.cookie(name, c.cookies.sealText(plaintext, name), int(life/time.Second)))
}

func (c *Client) endCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, c.cookie(name, "", -1))
}

func (c *Client) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: Secure is left out on plain http at loopback alone
		Name: c.cookieName(name), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: c.isSecure(), SameSite: http.SameSiteLaxMode,
	}
}

func (c *Client) readCookie(r *http.Request, name string) ([]byte, error) {
	cookie, err := r.Cookie(c.cookieName(name))
	if err != nil {
		return nil, err
	}
	return c.cookies.openText(cookie.Value, name)
}

// fail answers a login that came to nothing.
func (c *Client) fail(w http.ResponseWriter, r *http.Request, err error) {
	c.config.Log.WarnContext(r.Context(), "a login with Loop came to nothing", "cause", err)
	if c.config.OnError != nil {
		c.config.OnError(w, r, err)
		return
	}
	status, says := http.StatusBadGateway, "Loop can't be reached at the moment. Try again in a little while."
	switch known, ok := errors.AsType[*Error](err); {
	case errors.Is(err, ErrForeignAnswer):
		status, says = http.StatusBadRequest, "This answer does not belong to a request from this browser, or it is too old. Begin again."
	case ok && known.Code == "access_denied":
		status, says = http.StatusForbidden, "You did not allow it, and nothing was connected."
	case ok && known.Status < http.StatusInternalServerError:
		status, says = http.StatusBadGateway, "Loop did not accept the request: "+known.Code+"."
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width\"><title>Not connected</title><h1>Not connected</h1><p>%s</p>", html.EscapeString(says))
}
