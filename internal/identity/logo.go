package identity

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// Pictures keeps the logos of apps.
type Pictures interface {
	// Picture reads a client's picture; loop.ErrNotFound where there is none with the
	// hash.
	Picture(ctx context.Context, client loop.ClientID, hash string) ([]byte, error)
}

// logo answers GET /logos/{client}/{picture}: our own copy of an app's logo. What is
// there never changes, so that browsers may keep it for ever.
func (h *Host) logo(w http.ResponseWriter, r *http.Request) error {
	hash, isPNG := strings.CutSuffix(r.PathValue("picture"), ".png")
	if !isPNG {
		return web.NotFound()
	}
	png, err := h.pictures.Picture(r.Context(), loop.ClientID(r.PathValue("client")), hash)
	if errors.Is(err, loop.ErrNotFound) {
		return web.NotFound()
	}
	if err != nil {
		return web.Unavailable(err)
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(png) //nolint:gosec // G705: pixels that we have encoded. Who reads the error has gone
	return nil
}
