package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// signUpSentPath says that a link to sign up is on its way.
const signUpSentPath = "/signup/sent"

// askForSignUp answers POST /signup where mail is sent: the account is made once its
// address is confirmed, and the answer is the same whether the address has one.
func (h *Host) askForSignUp(w http.ResponseWriter, r *http.Request, j visitor.Journey, sent signin.Registration) error {
	draft, hash, err := h.SignIns.Prepare(r.Context(), sent)
	if err == nil {
		err = h.Mailed.AskForSignUp(r.Context(), draft, hash, h.asker(w, r, j, sent.Email))
	}
	if fault, ok := fieldFault(err); ok {
		return h.signUpPage(w, r, j, sent, fault)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, j.At(signUpSentPath))
}

// showSignUpSent answers GET /signup/sent.
func (h *Host) showSignUpSent(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	return h.Visitors.Show(w, r, h.pages, "sign_up_sent", sentView{h.Visitors.Carry(w, r, j), h.Mailed.Late()}, nil)
}

// confirmSignUpView is the data of confirm_sign_up.html.
type confirmSignUpView struct {
	visitor.Carried
	Link  string
	Email loop.Email
	Known bool // the browser is the one that signed up
	Fault *loop.Error
}

// showConfirmSignUp answers GET /confirm-sign-up, where the link in a mail leads. It
// makes no account: a form does.
func (h *Host) showConfirmSignUp(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r, "link")
	if err != nil {
		return err
	}
	o, err := h.follow(w, r, member.ToSignUp, params.Get("link"))
	if o == nil {
		return err
	}
	return h.confirmSignUpPage(w, r, o, params.Get("link"), nil)
}

func (h *Host) confirmSignUpPage(w http.ResponseWriter, r *http.Request, o *member.Opened, link string, fault *loop.Error) error {
	view := confirmSignUpView{h.carryLink(w, r, o), link, o.Email, o.AskedBy(h.Visitors.Browsers(r)...), fault}
	return h.Visitors.Show(w, r, h.pages, "confirm_sign_up", view, fault)
}

// postConfirmSignUp answers POST /confirm-sign-up: the account is made, and the member
// signed in.
func (h *Host) postConfirmSignUp(w http.ResponseWriter, r *http.Request) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	link := form.Get("link")
	o, err := h.follow(w, r, member.ToSignUp, link)
	if o == nil {
		return err
	}
	begun, err := h.SignIns.ConfirmSignUp(r.Context(), h.Mailed.Pending(o), o.AskedBy(h.Visitors.Browsers(r)...), form.Get("password"), h.visit(r))
	if fault, ok := fieldFault(err); ok {
		return h.confirmSignUpPage(w, r, o, link, fault)
	}
	if fault, ended := linkFault(err); ended {
		return h.linkEndedPage(w, r, member.ToSignUp, fault)
	}
	if err != nil {
		return err
	}
	h.Visitors.Begin(w, r, begun.Cookie, begun.Member)
	return h.signedIn(w, r, h.Visitors.Resumed(r, o.Journey))
}
