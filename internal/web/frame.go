package web

import "github.com/loop-health/loop/internal/loop"

// PortalFrame is what the layout portal shows around a page; the data of each of
// its pages embeds it.
type PortalFrame struct {
	Section   string // apps, docs or search: which is marked in the header
	Developer string // the name of who is signed in; empty: nobody
	CSRF      string // of the form that signs out
}

// PortalReader is who reads a page that is everybody's.
type PortalReader struct {
	Frame PortalFrame
	Apps  []PortalApp // that are theirs, the newest first; none where nobody is signed in
}

// PortalApp is an app of a developer's, with what samples show of it.
type PortalApp struct {
	ID       loop.ClientID
	Name     string
	Path     string // of its page
	Settings AppSettings
}

// AppSettings is what an app needs to know of itself and of the platform, as the part
// settings of the portal's pages shows it: lines of shell.
type AppSettings struct {
	ID                 loop.ClientID
	Secret             string // empty where it isn't shown
	RedirectURI        string // with quotes as they stand within a shell's quotes
	Identity, Clinical string
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

// ConsoleFrame is what the layout console shows around a page; the data of each of its
// pages embeds it.
type ConsoleFrame struct {
	Section  string // overview, members, apps or record: which is marked in the header
	Operator string // the name of who is signed in
	Role     string
	Acts     bool   // whether they may do something, and not only look
	CSRF     string // of every form
}
