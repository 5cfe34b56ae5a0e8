package portal

import (
	"net/http"

	"github.com/loop-health/loop/internal/web"
)

// TestMember is an invented member whom developers may sign in as.
type TestMember struct {
	Name, Email, Password string
	Story                 string // what their results show
}

// testMembersView is the data of test_members.html.
type testMembersView struct {
	web.PortalFrame
	Members []TestMember // none but on a platform on a laptop
}

// showTestMembers answers GET /test-members.
func (h *Host) showTestMembers(w http.ResponseWriter, _ *http.Request, dev *developer) error {
	return h.render(w, http.StatusOK, "test_members", testMembersView{PortalFrame: h.frame("apps", dev), Members: h.testMembers()})
}
