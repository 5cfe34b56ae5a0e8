package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// testMemberView is the data of test_member.html.
type testMemberView struct {
	visitor.Carried
	App    *visitor.App
	Member string
	Own    bool // the account has lab results of its own, and stays what it is
}

// showTestMember answers GET /test-member: the developer of an app in development has
// come through it with an account that it may not ask for health data, and is offered
// to become a test member.
func (h *Host) showTestMember(w http.ResponseWriter, r *http.Request) error {
	j, signIn, err := h.Visitors.AskedByApp(r)
	if err != nil {
		return err
	}
	req, step, err := h.Visitors.Step(r.Context(), j, signIn)
	if err != nil || step != oauth.StepTestMember {
		return web.SeeOther(w, r, j.Next())
	}
	own, err := h.hasResults(r, signIn.Member.ID)
	if err != nil {
		return err
	}
	return h.Visitors.Show(w, r, h.pages, "test_member", testMemberView{
		Carried: h.Visitors.Carry(w, r, j), App: visitor.NewApp(req.Client, req.RedirectURI), Member: signIn.Member.Name, Own: own,
	}, nil)
}

// postTestMember answers POST /test-member: the developer becomes a test member, and the
// app's request goes on. Whether they may is judged again.
func (h *Host) postTestMember(w http.ResponseWriter, r *http.Request) error {
	_, j, signIn, err := h.Visitors.PostedForApp(w, r)
	if err != nil {
		return err
	}
	if _, step, err := h.Visitors.Step(r.Context(), j, signIn); err != nil || step != oauth.StepTestMember {
		return web.SeeOther(w, r, j.Next())
	}
	own, err := h.hasResults(r, signIn.Member.ID)
	if err != nil {
		return err
	}
	if own {
		return web.SeeOther(w, r, j.At(visitor.TestPath))
	}
	if err := h.Accounts.BecomeTest(r.Context(), signIn.Member.ID); err != nil {
		return err
	}
	return web.SeeOther(w, r, j.Next())
}

// hasResults reports whether a member has lab results of their own.
func (h *Host) hasResults(r *http.Request, id loop.MemberID) (bool, error) {
	amount, err := h.Biomarkers.Amount(r.Context(), id)
	return amount.Count > 0, err
}
