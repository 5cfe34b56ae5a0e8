package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// addressPath is where a member changes the address of their account.
const addressPath = "/account/email"

// addressView is the data of address.html.
type addressView struct {
	web.AccountFrame
	Email    loop.Email // the account's
	Verified bool
	Typed    string
	Sent     bool // a link is on its way
	Late     bool // and mail is late
	Changed  bool // the address was just confirmed
	Fault    *loop.Error
}

// showAddress answers GET /account/email.
func (h *Host) showAddress(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	query := r.URL.Query()
	return h.addressPage(w, r, signIn.Member, addressView{Sent: query.Has("sent"), Changed: query.Has("changed")})
}

func (h *Host) addressPage(w http.ResponseWriter, r *http.Request, m *loop.Member, view addressView) error {
	view.AccountFrame, view.Email, view.Verified, view.Late = h.frame(w, r, "security", m), m.Email, m.EmailVerified, h.Mailed.Late()
	return h.Visitors.Show(w, r, h.ownPages, "address", view, view.Fault)
}

// postAddress answers POST /account/email: a link goes to the address.
func (h *Host) postAddress(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	email := form.Get("email")
	err = h.Mailed.AskForAddress(r.Context(), signIn.Member, email, h.asker(w, r, visitor.Journey{}, email))
	if fault, ok := fieldFault(err); ok {
		return h.addressPage(w, r, signIn.Member, addressView{Typed: email, Fault: fault})
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, addressPath+"?sent")
}

// confirmAddressView is the data of confirm_address.html.
type confirmAddressView struct {
	visitor.Carried
	Link  string
	Email loop.Email // the new one
	Known bool       // the browser asked for it, or the member is signed in with it
	Done  bool       // it is confirmed
	Fault *loop.Error
}

// showConfirmAddress answers GET /confirm-address, where the link in a mail leads. It
// changes nothing: a form does.
func (h *Host) showConfirmAddress(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r, "link", "done")
	if err != nil {
		return err
	}
	if params.Has("done") {
		return h.Visitors.Show(w, r, h.pages, "confirm_address", confirmAddressView{Carried: h.Visitors.Carry(w, r, visitor.Journey{}), Done: true}, nil)
	}
	link := params.Get("link")
	o, err := h.follow(w, r, member.ToProveAddress, link)
	if o == nil {
		return err
	}
	known, err := h.isOwners(r, o)
	if err != nil {
		return err
	}
	return h.confirmAddressPage(w, r, confirmAddressView{Link: link, Email: o.Email, Known: known})
}

func (h *Host) confirmAddressPage(w http.ResponseWriter, r *http.Request, view confirmAddressView) error {
	view.Carried = h.Visitors.Carry(w, r, visitor.Journey{})
	return h.Visitors.Show(w, r, h.pages, "confirm_address", view, view.Fault)
}

// isOwners reports whether a browser is the one that asked for a link, or has the
// session of the member whom it is about. In any other, somebody could have the owner
// of an address confirm it for an account of theirs.
func (h *Host) isOwners(r *http.Request, o *member.Opened) (bool, error) {
	signIn, err := h.Visitors.SignIn(r)
	if err != nil {
		return false, err
	}
	return o.AskedBy(h.Visitors.Browsers(r)...) || signIn != nil && signIn.Member.ID == o.Member.ID, nil
}

// postConfirmAddress answers POST /confirm-address: the address becomes the account's.
func (h *Host) postConfirmAddress(w http.ResponseWriter, r *http.Request) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	link := form.Get("link")
	o, err := h.follow(w, r, member.ToProveAddress, link)
	if o == nil {
		return err
	}
	known, err := h.isOwners(r, o)
	if err == nil && known {
		err = h.Mailed.ConfirmAddress(r.Context(), o)
	}
	if fault, ok := fieldFault(err); ok || err == nil && !known {
		return h.confirmAddressPage(w, r, confirmAddressView{Link: link, Email: o.Email, Known: known, Fault: fault})
	}
	if fault, ended := linkFault(err); ended {
		return h.linkEndedPage(w, r, member.ToProveAddress, fault)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, member.ConfirmAddressPath+"?done")
}
