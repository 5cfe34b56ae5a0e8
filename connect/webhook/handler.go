package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// maxBody bounds what is read of a request before its signature is known.
const maxBody = 1 << 20

// Handler answers webhooks: each event is given to handle once. 204 says that it was
// handled, now or before. 400 answers what is no event of Loop's; 500 what handle
// returned an error for, which Loop sends again, for three days.
//
// handle should be quick, and bounded by ctx: Loop waits five seconds for the answer.
func (r *Receiver) Handler(handle func(ctx context.Context, e Event) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "Webhooks come by POST.", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
		if err != nil {
			http.Error(w, "The body can't be read, or is larger than 1 MiB.", tooLarge(err))
			return
		}
		e, err := r.Verify(req.Header, body)
		if err != nil {
			http.Error(w, "This is no event of Loop's.", http.StatusBadRequest)
			return
		}
		if err := r.seen.Handle(req.Context(), e.ID, func() error { return handle(req.Context(), e) }); err != nil {
			http.Error(w, "The event was not handled. Send it again.", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func tooLarge(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
