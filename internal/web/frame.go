package web

// PortalFrame is what the layout portal shows around a page; the data of each of
// its pages embeds it.
type PortalFrame struct {
	Section   string // apps or docs: which is marked in the header
	Developer string // the name of who is signed in; empty: nobody
	CSRF      string // of the form that signs out
}

// AccountFrame is what the layout account shows around a page; the data of each of its
// pages embeds it.
type AccountFrame struct {
	Section string // apps or activity: which is marked in the header
	Member  string // the name of who is signed in
	CSRF    string // of every form
	Here    string // the page's own address, to come back to
	Imports bool   // whether members can add results from files here
}

// Continue is the app's request that pages go on with: pages of the account have none.
func (AccountFrame) Continue() string { return "" }
