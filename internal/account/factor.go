package account

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/web"
)

// factorView is the data of factor.html: the form that sets a second factor up.
type factorView struct {
	web.AccountFrame
	*signin.NewFactor
	Picture picture
	Fault   *loop.Error
}

// codesView is the data of codes.html: recovery codes, shown once.
type codesView struct {
	web.AccountFrame
	Codes []string
}

// picture is a QR code: the side in modules, and the dark ones as an SVG path.
type picture struct {
	Side int
	Path string
}

// Box is the side with the margin that readers need.
func (p picture) Box() int { return p.Side + 8 }

// newPicture draws a text.
func newPicture(text string) (picture, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return picture{}, err
	}
	p := picture{Side: code.Bounds().Dx()}
	var path strings.Builder
	for y := range p.Side {
		for x := range p.Side {
			if red, _, _, _ := code.At(x, y).RGBA(); red == 0 {
				path.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "h1v1h-1z")
			}
		}
	}
	p.Path = path.String()
	return p, nil
}

// showFactor answers GET /account/security/code.
func (h *Host) showFactor(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	return h.factorPage(w, r, signIn.Member, h.SignIns.BeginFactor(signIn.Member), nil)
}

func (h *Host) factorPage(w http.ResponseWriter, r *http.Request, m *loop.Member, factor *signin.NewFactor, fault *loop.Error) error {
	drawn, err := newPicture(factor.URL(m))
	if err != nil {
		return err
	}
	view := factorView{AccountFrame: h.frame(w, r, "security", m), NewFactor: factor, Picture: drawn, Fault: fault}
	return h.Visitors.Show(w, r, h.ownPages, "factor", view, fault)
}

// postFactor answers POST /account/security/code: the code of the member's app.
func (h *Host) postFactor(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	codes, begun, err := h.SignIns.AddFactor(r.Context(), signIn, form.Get("factor"), form.Get("code"), h.visit(r))
	if fault, ok := fieldFault(err); ok {
		factor, there := h.SignIns.OpenNewFactor(signIn.Member, form.Get("factor"))
		if !there {
			return err
		}
		return h.factorPage(w, r, signIn.Member, factor, fault)
	}
	if err != nil {
		return err
	}
	h.Visitors.Begin(w, r, begun.Cookie, begun.Member)
	return h.codesPage(w, r, signIn.Member, codes)
}

func (h *Host) codesPage(w http.ResponseWriter, r *http.Request, m *loop.Member, codes []string) error {
	return h.Visitors.Show(w, r, h.ownPages, "codes", codesView{AccountFrame: h.frame(w, r, "security", m), Codes: codes}, nil)
}

// changeFactor answers POST /account/security/factor: remove it, or make recovery codes
// anew.
func (h *Host) changeFactor(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	if form.Get("act") == "codes" {
		codes, err := h.SignIns.NewRecoveryCodes(r.Context(), signIn.Member)
		if err == nil {
			return h.codesPage(w, r, signIn.Member, codes)
		}
		if !errors.Is(err, loop.ErrNotFound) {
			return err
		}
		return web.SeeOther(w, r, securityPath)
	}
	if err := h.SignIns.RemoveFactor(r.Context(), signIn.Member); err != nil && !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	return web.SeeOther(w, r, securityPath+"?factor")
}
