package account

import (
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// mountMailed adds the pages of password and address. Where there is no server for
// mail, those that take it are not there.
func (h *Host) mountMailed(site *web.Site) {
	site.Page("GET "+passwordPath, h.inSession(h.showPassword))
	site.Page("POST "+passwordPath, h.inSession(h.postPassword))
	site.Page("GET "+member.SetPasswordPath, visitor.InPopup(h.showSetPassword))
	site.Page("POST "+member.SetPasswordPath, visitor.InPopup(h.postSetPassword))
	site.Page("GET "+passwordSetPath, visitor.InPopup(h.showPasswordSet))
	if h.Mailed == nil {
		return
	}
	site.Page("GET "+forgotPath, visitor.InPopup(h.showForgot))
	site.Page("POST "+forgotPath, visitor.InPopup(h.postForgot))
	site.Page("GET "+forgotSentPath, visitor.InPopup(h.showForgotSent))
	site.Page("GET "+signUpSentPath, visitor.InPopup(h.showSignUpSent))
	site.Page("GET "+member.ConfirmSignUpPath, visitor.InPopup(h.showConfirmSignUp))
	site.Page("POST "+member.ConfirmSignUpPath, visitor.InPopup(h.postConfirmSignUp))
	site.Page("GET "+addressPath, h.recent(addressPath, h.showAddress))
	site.Page("POST "+addressPath, h.recent(addressPath, h.postAddress))
	site.Page("GET "+member.ConfirmAddressPath, h.showConfirmAddress)
	site.Page("POST "+member.ConfirmAddressPath, h.postConfirmAddress)
}

// asker is who asks for a mail to an address.
func (h *Host) asker(w http.ResponseWriter, r *http.Request, j visitor.Journey, email string) member.Asker {
	return member.Asker{Browser: h.Visitors.Browser(w, r), Device: h.Visitors.Device(r, email), Journey: j.Text(), Locale: h.Visitors.Language(r).Tag}
}

// sentView is the data of pages that say that a mail is on its way.
type sentView struct {
	visitor.Carried
	Late bool // it takes longer than it should
}

// follow opens the link of a page that a mail leads to. Where the link does nothing any
// more, a page that says so is the answer, and o is nil.
func (h *Host) follow(w http.ResponseWriter, r *http.Request, purpose member.LinkPurpose, link string) (o *member.Opened, err error) {
	o, err = h.Links.Open(r.Context(), purpose, link)
	if fault, ended := linkFault(err); ended {
		return nil, h.linkEndedPage(w, r, purpose, fault)
	}
	return o, err
}

// carryLink is what the forms of a page post back that a link leads to: what goes on
// behind it travels in the link.
func (h *Host) carryLink(w http.ResponseWriter, r *http.Request, o *member.Opened) visitor.Carried {
	return h.Visitors.Carry(w, r, h.Visitors.Resumed(r, o.Journey))
}

// linkFault finds an error that says that a link does nothing any more.
func linkFault(err error) (*loop.Error, bool) {
	e, ok := errors.AsType[*loop.Error](err)
	return e, ok && e.Code == loop.InvalidRequest
}

// linkEndedView is the data of link_ended.html.
type linkEndedView struct {
	visitor.Carried
	Again string // where another link is asked for; empty: no mail is sent
	Fault *loop.Error
}

// askAgain is where a link of each purpose is asked for.
var askAgain = map[member.LinkPurpose]string{
	member.ToResetPassword: forgotPath, member.ToSignUp: "/signup", member.ToProveAddress: addressPath,
}

func (h *Host) linkEndedPage(w http.ResponseWriter, r *http.Request, purpose member.LinkPurpose, fault *loop.Error) error {
	view := linkEndedView{Carried: h.Visitors.Carry(w, r, visitor.Journey{}), Fault: fault}
	if h.Mailed != nil {
		view.Again = askAgain[purpose]
	}
	return h.Visitors.Show(w, r, h.pages, "link_ended", view, fault)
}
