package web

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// notes is what is learnt about a request on its way, for its log line.
type notes struct {
	route  string
	client loop.ClientID
	member loop.MemberID
	err    *loop.Error
	proven bool
	params url.Values

	language [languageWishes]string
}

type notesKey struct{}

// note gives the request's notes; outside a Site, where nobody logs, an empty one.
func note(ctx context.Context) *notes {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		return n
	}
	return &notes{}
}

// NoteClient adds the client to the request's log line, once it is known.
func NoteClient(ctx context.Context, id loop.ClientID) { note(ctx).client = id }

// NoteProven notes that the request's client proved who it is: by its credentials, or
// by an access token.
func NoteProven(ctx context.Context) { note(ctx).proven = true }

// NoteParameters notes what the request was found to carry. They are shown to nobody
// as they are.
func NoteParameters(ctx context.Context, params url.Values) { note(ctx).params = params }

// NoteMember adds the member to the request's log line, once they are known.
func NoteMember(ctx context.Context, id loop.MemberID) { note(ctx).member = id }

// NoteError adds the error to the request's log line, where the answer itself
// is no error: a redirect, a page.
func NoteError(ctx context.Context, e *loop.Error) { note(ctx).err = e }

// LanguageWish is where a wish for the language of the answer comes from; the first of
// them goes first.
type LanguageWish int

// The wishes that become known on a request's way.
const (
	OnTheWay       LanguageWish = iota // chosen by the member on the way to an app
	AskedByApp                         // ui_locales (OpenID Connect Core §3.1.2.1)
	ChosenByMember                     // in their account
	languageWishes
)

// NoteLanguage notes a wish: a tag, or a list of them in the form of Accept-Language.
func NoteLanguage(ctx context.Context, by LanguageWish, wish string) { note(ctx).language[by] = wish }

// LanguageWishes are those noted until now, the first of which goes first.
func LanguageWishes(ctx context.Context) []string {
	noted := note(ctx).language
	return noted[:]
}

// RequestID is the id under which the request appears in answers, logs and the
// audit record.
func RequestID(ctx context.Context) loop.RequestID { return audit.OriginOf(ctx).Request }

// identify gives the request its id and notes where it came from.
func (s *Site) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := loop.NewRequestID(s.World)
		w.Header().Set("X-Request-Id", string(id))
		ctx := audit.WithOrigin(r.Context(), audit.Origin{Request: id, Address: s.clientAddress(r)})
		ctx = context.WithValue(ctx, notesKey{}, &notes{})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// log writes one line for each request, without anything that could be used:
// no query, no header, no body.
func (s *Site) log(next http.Handler) http.Handler {
	log := s.Log.With("host", s.PublicURL.Host)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		answered := func(Answered) {}
		if s.Observe != nil {
			var ctx context.Context
			ctx, answered = s.Observe(r)
			r = r.WithContext(ctx)
		}
		answer := &answerStatus{ResponseWriter: w}
		next.ServeHTTP(answer, r)

		n := note(r.Context())
		took := time.Since(began)
		answered(n.answered(r, answer.status, took))
		if s.Exchanged != nil && (n.err != nil || n.client != "") {
			s.Exchanged(s.exchange(r, n, answer.status, took))
		}
		origin := audit.OriginOf(r.Context())
		attrs := append(make([]slog.Attr, 0, 10), // all that there can be
			slog.String("request_id", string(origin.Request)),
			slog.String("address", origin.Address),
			slog.String("route", cmp.Or(n.route, noRoute)),
			slog.String("method", method(r)),
			slog.Int("status", answer.status),
			slog.Float64("duration_ms", float64(took.Microseconds())/1000))
		if n.client != "" {
			attrs = append(attrs, slog.String("client_id", string(n.client)))
		}
		if n.member != "" {
			attrs = append(attrs, slog.String("user_id", string(n.member)))
		}
		level := slog.LevelInfo
		if n.err != nil {
			attrs = append(attrs, slog.String("error", string(n.err.Code)))
			if cause := n.err.Unwrap(); cause != nil && answer.status >= http.StatusInternalServerError {
				level = slog.LevelError
				attrs = append(attrs, slog.String("cause", cause.Error()))
			}
		}
		log.LogAttrs(r.Context(), level, "request", attrs...)
	})
}

// noRoute is the route, in the log, of a request that no route answered: there is none, or
// it was refused before one was looked for.
const noRoute = "none"

// Observe is called with each request as it begins. It gives the context that the
// request goes on with, and what is to be called once it is answered.
type Observe func(r *http.Request) (context.Context, func(Answered))

// Answered is what became of a request.
type Answered struct {
	Request loop.RequestID
	Route   string    // its pattern; empty where none was reached
	Status  int       // of the answer; 0 where the connection was cut off instead
	Error   loop.Code // empty: none
	Took    time.Duration
}

func (n *notes) answered(r *http.Request, status int, took time.Duration) Answered {
	a := Answered{Request: RequestID(r.Context()), Route: n.route, Status: status, Took: took}
	if n.err != nil {
		a.Error = n.err.Code
	}
	return a
}

func (s *Site) exchange(r *http.Request, n *notes, status int, took time.Duration) Exchange {
	e := Exchange{
		Request: RequestID(r.Context()), At: s.World.Now().Add(-took), Method: method(r), Route: n.route, Status: status, Took: took,
		Client: n.client, Proven: n.proven, Scheme: scheme(r), Error: n.err, Parameters: n.params,
	}
	if n.err != nil {
		e.Page = s.ErrorURI(n.err.Code)
	}
	return e
}

// scheme is how the Authorization header proves who sends it, without the proof.
func scheme(r *http.Request) string {
	scheme, _, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || len(scheme) > 20 {
		return ""
	}
	return scheme
}

// recover keeps a panic in a handler from ending more than its own request.
func (s *Site) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // a panic's value, not an error that was wrapped
				panic(cause)
			}
			s.Log.ErrorContext(r.Context(), "panic", "request_id", RequestID(r.Context()), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			s.WriteError(w, r, fmt.Errorf("panic: %v", cause))
		}()
		next.ServeHTTP(w, r)
	})
}

// answerStatus remembers the status that was written.
type answerStatus struct {
	http.ResponseWriter
	status int
}

func (a *answerStatus) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answerStatus) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answerStatus) Unwrap() http.ResponseWriter { return a.ResponseWriter }
