package identity

import (
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// exchange answers POST /v1/oauth/token (RFC 6749 §3.2). The query is never read.
func (h *Host) exchange(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(w, r)
	if err != nil {
		return err
	}
	authorization := r.Header.Values("Authorization")
	tokens, client, err := h.oauth.Exchange(r.Context(), authorization, form)
	web.NoteClient(r.Context(), client)
	if err != nil {
		if loop.AsError(err).Code == loop.InvalidClient && len(authorization) > 0 && triedBasic(authorization[0]) {
			w.Header().Set("WWW-Authenticate", `Basic realm="Loop", charset="UTF-8"`) // RFC 6749 §5.2
		}
		return err
	}
	w.Header().Set("Cache-Control", "no-store") // RFC 6749 §5.1
	w.Header().Set("Pragma", "no-cache")
	return web.WriteJSON(w, http.StatusOK, tokens)
}

func triedBasic(authorization string) bool {
	scheme, _, _ := strings.Cut(authorization, " ")
	return strings.EqualFold(scheme, "Basic")
}
