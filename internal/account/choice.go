package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// choiceView is the data of choice.html.
type choiceView struct {
	visitor.Carried
	App      *visitor.App
	Member   string
	MemberID loop.MemberID
	Email    string
}

// showChoice answers GET /choose: with which account to go on
// (prompt=select_account).
func (h *Host) showChoice(w http.ResponseWriter, r *http.Request) error {
	j, signIn, err := h.Visitors.AskedByApp(r)
	if err != nil {
		return err
	}
	req, step, err := h.Visitors.Step(r.Context(), j, signIn)
	if err != nil || step != oauth.StepChooseAccount {
		return web.SeeOther(w, r, j.Next())
	}
	return h.Visitors.Show(w, r, h.pages, "choice", choiceView{
		Carried: h.Visitors.Carry(w, r, j), App: visitor.NewApp(req.Client, req.RedirectURI),
		Member: signIn.Member.Name, MemberID: signIn.Member.ID, Email: string(signIn.Member.Email),
	}, nil)
}

// postChoice answers POST /choose: go on as who is signed in. Another account is
// chosen by signing in.
func (h *Host) postChoice(w http.ResponseWriter, r *http.Request) error {
	form, j, signIn, err := h.Visitors.PostedForApp(w, r)
	if err != nil {
		return err
	}
	if signIn != nil && form.Get("member") == string(signIn.Member.ID) {
		j = h.Visitors.Progress(j, func(p *oauth.Progress) { p.Chosen = true })
	}
	return web.SeeOther(w, r, j.Next())
}
