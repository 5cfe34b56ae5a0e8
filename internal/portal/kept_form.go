package portal

import (
	"bytes"
	"compress/flate"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// A form that is sent when its developer has to sign in first is kept in the browser
// that sent it: sealed, in a cookie, for as long as a sign-in may take. It comes back
// filled in, to the same member, and nothing is done until they send it again.

// maxKeptForm bounds the cookie: browsers take 4 KiB with its name.
const maxKeptForm = 3800

// keptForm is what the cookie holds, sealed.
type keptForm struct {
	Path   string
	Token  string // of the form: it says whose it is
	Values []byte // form-encoded and compressed
	KeptAt time.Time
}

// keepForm keeps a form that was sent, where somebody typed it. One that was sent
// from elsewhere, or that is too long to be kept, is an error.
func (h *Host) keepForm(w http.ResponseWriter, r *http.Request, dev *developer) error {
	values, err := web.Form(w, r)
	if err != nil {
		return err
	}
	if err := h.csrf.CheckOrigin(r); err != nil {
		return err
	}
	token := values.Get("csrf")
	if dev != nil && !h.ownToken(token, dev.Member) {
		return loop.Errorf(loop.Forbidden, "This form is not one of yours. Open its page again.")
	}
	values.Del("csrf")
	if registration.CheckKeySet([]byte(values.Get("jwks"))) != nil {
		values.Del("jwks") // it may hold a private key, which is not ours to keep even sealed
	}
	if len(values) == 0 {
		return nil // a question with a button
	}
	return h.setKeptForm(w, keptForm{Path: formPath(r), Token: token, Values: deflate(values.Encode()), KeptAt: h.site.World.Now()})
}

func (h *Host) setKeptForm(w http.ResponseWriter, form keptForm) error {
	text, err := seal(h.sealer, sealedForm, form)
	if err != nil {
		return err
	}
	if len(text) > maxKeptForm {
		return loop.Errorf(loop.PayloadTooLarge, "You have to sign in again, and this form is too long to be kept meanwhile. Nothing was saved. Sign in in another tab, then go back here and send it again.")
	}
	h.kept.Set(w, text, attemptLife)
	return nil
}

// takeKeptForm gives the form that was kept for this page and this developer, and
// forgets it.
func (h *Host) takeKeptForm(w http.ResponseWriter, r *http.Request, dev *developer) (url.Values, bool) {
	kept, ok := open[keptForm](h.sealer, sealedForm, h.kept.Read(r))
	if !ok || kept.Path != r.URL.Path {
		return nil, false
	}
	h.kept.Clear(w)
	if !loop.Alive(h.site.World.Now(), kept.KeptAt, attemptLife) || !h.ownToken(kept.Token, dev.Member) {
		return nil, false
	}
	values, err := url.ParseQuery(inflate(kept.Values))
	return values, err == nil
}

// ownToken reports whether a form's token was made for the member, whenever that was.
func (h *Host) ownToken(token string, member loop.MemberID) bool {
	id, tag, _ := strings.Cut(token, ".")
	return h.csrf.Made(formOwner(id, member), tag)
}

func deflate(text string) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err == nil {
		_, _ = io.WriteString(w, text) // into memory: it can't fail
		_ = w.Close()
	}
	return out.Bytes()
}

// inflate is the reverse of deflate, up to what a form may hold.
func inflate(data []byte) string {
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), 64<<10))
	if err != nil {
		return ""
	}
	return string(text)
}
