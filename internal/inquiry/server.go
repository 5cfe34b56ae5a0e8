package inquiry

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/webhook"
)

// Store is where identity looks.
type Store interface {
	// Member finds a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
	// Client finds an app; loop.ErrNotFound where there is none.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
}

// Origins knows what enabled apps registered.
type Origins interface {
	// HasOrigin reports whether an enabled app registered the origin.
	HasOrigin(ctx context.Context, origin string) bool
}

// Server answers the questions, on identity's host.
type Server struct {
	answerer
	store   Store
	origins Origins
	news    webhook.Taker
}

// answerer answers whoever has the ring.
type answerer struct {
	world loop.World
	proof proof
}

// NewServer makes a server that answers whoever has the ring.
func NewServer(store Store, origins Origins, news webhook.Taker, w loop.World, ring *credential.Ring) *Server {
	return &Server{answerer{w, newProof(ring)}, store, origins, news}
}

// Mount adds the server's routes to identity's site.
func (s *Server) Mount(site *web.Site) {
	site.API("GET "+membersPath+"{id}", s.proven(s.member))
	site.API("GET "+namesPath+"{id}", s.proven(s.name))
	site.API("GET "+clientsPath+"{id}", s.proven(s.client))
	site.API("GET "+originsPath+"{id}", s.proven(s.origin))
	site.API("POST "+newsPath+"{id}", s.proven(s.takeNews))
}

// maxQuestion bounds the body of a question, in bytes.
const maxQuestion = 1 << 20

// proven has a question answered if its proof holds. Anybody else learns nothing,
// not even that there is somebody to ask.
func (s *answerer) proven(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuestion))
		if err != nil || !s.proof.verify(r, body, s.world.Now()) {
			return web.NotFound()
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		err = next(w, r)
		if errors.Is(err, loop.ErrNotFound) {
			return web.NotFound()
		}
		return err
	}
}

func (s *Server) member(w http.ResponseWriter, r *http.Request) error {
	m, err := s.store.Member(r.Context(), loop.MemberID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, memberAnswer{Sex: m.Sex, BornOn: m.BornOn})
}

func (s *Server) name(w http.ResponseWriter, r *http.Request) error {
	m, err := s.store.Member(r.Context(), loop.MemberID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, nameAnswer{Name: m.Name})
}

func (s *Server) client(w http.ResponseWriter, r *http.Request) error {
	c, err := s.store.Client(r.Context(), loop.ClientID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, clientAnswer{Name: c.Name, Type: c.Type, Mode: c.Mode, RateLimits: c.Protocol.RateLimits, Origins: c.Protocol.AllowedOrigins})
}

func (s *Server) origin(w http.ResponseWriter, r *http.Request) error {
	origin, err := base64.RawURLEncoding.DecodeString(r.PathValue("id"))
	if err != nil {
		return web.NotFound()
	}
	return web.WriteJSON(w, http.StatusOK, originAnswer{s.origins.HasOrigin(r.Context(), string(origin))})
}
