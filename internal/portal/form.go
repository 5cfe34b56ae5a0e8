package portal

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// A form's csrf field is a token: an id, made for the page that showed the form, and
// a tag that binds it to the member who was shown it. The tag says that the form came
// from here; the id, that it does its act once, however often it is sent.

// formLife is how long a form may lie open. A later one is shown again.
const formLife = 12 * time.Hour

// errOldForm: the form is ours and its sender's, but from too long ago.
var errOldForm = errors.New("the form was shown too long ago")

// sentForm is a form of one of the host's own pages that its developer sent.
type sentForm struct {
	url.Values
	token string
	id    string
	until time.Time // from then on, it is not taken any more
}

// newFormToken makes the token of a form for a member.
func (h *Host) newFormToken(member loop.MemberID) string {
	var id [40]byte
	_, _ = h.site.World.Read(id[:32])
	binary.BigEndian.PutUint64(id[32:], uint64(h.site.World.Now().Unix())) //nolint:gosec // G115: after 1970
	text := base64.RawURLEncoding.EncodeToString(id[:])
	return text + "." + h.csrf.Token(formOwner(text, member))
}

func formOwner(id string, member loop.MemberID) string { return string(member) + " " + id }

// form reads a form of one of the host's own pages and proves where it came from:
// Forbidden for one that did not come from here. errOldForm comes with the form.
func (h *Host) form(w http.ResponseWriter, r *http.Request, dev *developer) (sentForm, error) {
	values, err := web.Form(w, r)
	if err != nil {
		return sentForm{}, err
	}
	form := sentForm{Values: values, token: values.Get("csrf")}
	values.Del("csrf")
	id, tag, _ := strings.Cut(form.token, ".")
	if err := h.csrf.Check(r, formOwner(id, dev.Member), tag); err != nil {
		return sentForm{}, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(raw) != 40 {
		return sentForm{}, loop.Errorf(loop.Forbidden, "This form is not one of ours. Open its page again.")
	}
	form.id = id
	form.until = time.Unix(int64(binary.BigEndian.Uint64(raw[32:])), 0).Add(formLife) //nolint:gosec // G115: we made it
	if !h.site.World.Now().Before(form.until) {
		return form, errOldForm
	}
	return form, nil
}

// once gives the acts of a form, which are done once for it, and what it is known by.
func (h *Host) once(r *http.Request, dev *developer, form sentForm) (registration.Sent, registration.Form) {
	sent := registration.Form{
		Hash:      sha256.Sum256([]byte(formOwner(form.id, dev.Member) + " " + r.URL.Path)),
		Content:   sha256.Sum256([]byte(form.Encode())),
		ExpiresAt: form.until,
	}
	return h.clients.Sent(sent, h.formSecrets(form.id)[0], dev.actor()), sent
}
