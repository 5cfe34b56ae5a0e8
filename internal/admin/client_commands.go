package admin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
)

type clientCommands struct {
	Target `embed:""`

	Create       clientCreate  `cmd:"" help:"Register an app. Its secret is shown once."`
	List         clientList    `cmd:"" help:"List all apps, newest first."`
	Show         clientShow    `cmd:"" help:"Show all that is known of an app."`
	Update       clientUpdate  `cmd:"" help:"Change what the flags name. What the app may no longer see ends at once."`
	Apply        clientApply   `cmd:"" help:"Make and change the apps that a file names, and print what differs. What is as it should be stays untouched."`
	Approve      clientApprove `cmd:"" help:"Verify an app whose developer changed what Loop had verified. Without a review it shows what changed."`
	Enable       clientEnable  `cmd:"" help:"Let a disabled app work again."`
	Disable      clientDisable `cmd:"" help:"Stop an app. All its tokens end at once."`
	Delete       clientDelete  `cmd:"" help:"Delete an app for good: its tokens and every member's consent to it end. To stop one for a while, disable it."`
	RotateSecret clientRotate  `cmd:"" help:"Give an app a new secret, shown once. The old one works for 24 hours more."`
}

// clientArgument is the app that a command is about.
type clientArgument struct {
	ID loop.ClientID `arg:"" name:"client" help:"The app's id: client_…"`
}

type clientCreate struct {
	Type  string      `default:"confidential" help:"confidential (it can keep a secret) or public." placeholder:"TYPE"`
	Flags clientFlags `embed:""`
}

// Run registers the client. All its faults are reported at once, those of the flags
// too.
func (cmd *clientCreate) Run(run *Run) error {
	change, err := cmd.Flags.change(run.Stdin)
	c := cmd.Flags.begin(loop.ClientType(cmd.Type), change)
	if err != nil {
		return errors.Join(append([]error{err}, c.Validate()...)...)
	}
	secret, err := run.Operations.Clients.Create(run.Context, c, Operator)
	if err != nil {
		return err
	}
	view := viewClient(c)
	if c.Protocol.AuthMethod.BySecret() {
		view.Secret = secret.Reveal()
	}
	return run.show(view, view.write)
}

// begin makes a client of the defaults and of what was given.
func (f *clientFlags) begin(kind loop.ClientType, change func(*loop.Client)) *loop.Client {
	c := registration.New()
	c.Type = kind
	change(c)
	if !c.MayUse(loop.GrantAuthorizationCode) && f.Scope == nil {
		c.AllowedScopes = nil // the defaults are for members' consent
	}
	return c
}

type clientList struct{}

// Run lists every client.
func (cmd *clientList) Run(run *Run) error {
	clients, err := run.Operations.Store.Clients(run.Context)
	if err != nil {
		return err
	}
	views := make([]clientView, len(clients))
	for i, c := range clients {
		views[i] = viewClient(c)
	}
	return run.show(views, func(w io.Writer) error {
		if len(views) == 0 {
			_, err := fmt.Fprintln(w, "No app is registered. Register one with: loop client create --name NAME --redirect-uri URI")
			return err
		}
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "CLIENT\tNAME\tTYPE\tMODE\tSTATE\tSCOPES")
		for _, view := range views {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", view.ID, view.Name, view.Type, view.Mode, view.state(), view.Scopes)
		}
		return table.Flush()
	})
}

type clientShow struct {
	clientArgument `embed:""`
}

// Run shows one client.
func (cmd *clientShow) Run(run *Run) error {
	c, err := run.client(cmd.ID)
	if err != nil {
		return err
	}
	view := viewClient(c)
	return run.show(view, view.write)
}

// client reads the client that is meant.
func (run *Run) client(id loop.ClientID) (*loop.Client, error) {
	c, err := run.Operations.Store.Client(run.Context, id)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, noClient(id)
	}
	return c, err
}

type clientUpdate struct {
	clientArgument `embed:""`
	Flags          clientFlags `embed:""`
}

// Run changes one client.
func (cmd *clientUpdate) Run(run *Run) error {
	change, err := cmd.Flags.change(run.Stdin)
	if err != nil {
		return err
	}
	c, err := run.Operations.Clients.Update(run.Context, cmd.ID, Operator, change)
	if err != nil {
		return err
	}
	view := viewClient(c)
	return run.show(view, view.write)
}

type clientEnable struct {
	clientArgument `embed:""`
}

// Run enables one client.
func (cmd *clientEnable) Run(run *Run) error {
	c, err := run.Operations.Clients.SetEnabled(run.Context, cmd.ID, Operator, true)
	if err != nil {
		return err
	}
	return run.show(viewClient(c), line("%s (%s) is enabled.", c.Name, c.ID))
}

type clientDisable struct {
	clientArgument `embed:""`
}

// Run disables one client.
func (cmd *clientDisable) Run(run *Run) error {
	c, err := run.Operations.Clients.SetEnabled(run.Context, cmd.ID, Operator, false)
	if err != nil {
		return err
	}
	return run.show(viewClient(c), line("%s (%s) is disabled, and its tokens have ended.", c.Name, c.ID))
}

type clientDelete struct {
	clientArgument `embed:""`
}

// Run deletes one client.
func (cmd *clientDelete) Run(run *Run) error {
	c, err := run.client(cmd.ID)
	if err != nil {
		return err
	}
	if err := run.Operations.Clients.Delete(run.Context, cmd.ID, Operator); err != nil {
		return err
	}
	return run.show(map[string]any{"client_id": cmd.ID, "deleted": true}, line("%s (%s) is deleted. Its tokens have ended, and what members allowed it.", c.Name, c.ID))
}

type clientRotate struct {
	clientArgument `embed:""`
}

// Run gives one client a new secret.
func (cmd *clientRotate) Run(run *Run) error {
	secret, err := run.Operations.Clients.RotateSecret(run.Context, cmd.ID, Operator)
	if err != nil {
		return err
	}
	view := struct {
		ID     loop.ClientID `json:"client_id"`
		Secret string        `json:"client_secret"`
	}{cmd.ID, secret.Reveal()}
	return run.show(view, line("%s\n\nKeep it now: it is not shown again. The secret before it works for 24 hours more.", view.Secret))
}

func noClient(id loop.ClientID) error {
	if !id.Valid() {
		return fmt.Errorf("%q is not a client's id: it reads client_ and 26 letters and digits; loop client list shows them all", id)
	}
	return fmt.Errorf("there is no client %s: loop client list shows them all", id)
}

// clientView is a client under the names of client metadata (RFC 7591 §2).
type clientView struct {
	ID           loop.ClientID   `json:"client_id"`
	Secret       string          `json:"client_secret,omitempty"`
	Name         string          `json:"client_name"`
	Type         loop.ClientType `json:"client_type"`
	RedirectURIs []string        `json:"redirect_uris"`
	Scopes       string          `json:"allowed_scopes"`
	Required     string          `json:"required_scopes"`
	HomePage     string          `json:"client_uri"`
	PolicyPage   string          `json:"policy_uri"`
	TermsPage    string          `json:"tos_uri"`
	LogoURI      string          `json:"logo_uri"`
	LogoState    string          `json:"logo_state,omitempty"` // what became of it
	TokenTTL     int64           `json:"access_token_ttl"`     // seconds
	Grace        int64           `json:"refresh_grace"`        // seconds
	RequireNonce bool            `json:"require_nonce"`
	loop.Protocol
	Mode       loop.Mode     `json:"mode"`
	BAA        *baaView      `json:"baa"`
	FirstParty bool          `json:"is_first_party"`
	Verified   bool          `json:"verified"`
	Review     *reviewView   `json:"review"`
	Enabled    bool          `json:"enabled"`
	Stopped    loop.Standing `json:"stopped,omitempty"` // why it gets nothing
	Owner      loop.MemberID `json:"owner"`
	CreatedAt  string        `json:"created_at"`
	UpdatedAt  string        `json:"updated_at"`
}

// logoState says what became of a logo; empty where there is none.
func logoState(logo loop.Logo) string {
	switch {
	case logo.URI == "":
		return ""
	case logo.Picture != "":
		return "members are shown it"
	}
	return cmp.Or(logo.Fault, "not fetched yet")
}

type baaView struct {
	SignedOn string `json:"signed_on"`
	By       string `json:"by"`
}

func viewClient(c *loop.Client) clientView {
	view := clientView{
		ID: c.ID, Name: c.Name, Type: c.Type, RedirectURIs: make([]string, len(c.RedirectURIs)),
		Scopes: c.AllowedScopes.String(), Required: c.RequiredScopes.String(),
		HomePage: c.HomePage, PolicyPage: c.PolicyPage, TermsPage: c.TermsPage, LogoURI: c.Logo.URI, LogoState: logoState(c.Logo),
		TokenTTL: int64(c.AccessTokenTTL.Seconds()), Grace: int64(c.RefreshGrace.Seconds()), RequireNonce: c.RequireNonce,
		Protocol: c.Protocol, Mode: c.Mode, FirstParty: c.FirstParty, Verified: c.Verified, Enabled: c.Enabled, Stopped: c.Standing(), Owner: c.Owner,
		CreatedAt: moment(c.CreatedAt), UpdatedAt: moment(c.UpdatedAt),
	}
	for i, uri := range c.RedirectURIs {
		view.RedirectURIs[i] = string(uri)
	}
	if c.Appearance.Verified != nil {
		view.Review = &reviewView{ID: c.Review(), Verified: *c.Appearance.Verified, Now: c.Shown()}
	}
	if c.BAA != nil {
		view.BAA = &baaView{SignedOn: c.BAA.SignedOn.Format("2006-01-02"), By: c.BAA.By}
	}
	return view
}

func (v *clientView) state() string {
	state := "disabled"
	switch v.Stopped {
	case loop.Works:
		state = "enabled"
	case loop.DeveloperSuspended:
		state = "stopped: its developer is suspended"
	}
	if v.Review != nil {
		state += ", to review"
	}
	return state
}

// write shows a client to a person, the secret last, where the eye ends.
func (v clientView) write(w io.Writer) error {
	agreement := "none"
	if v.BAA != nil {
		agreement = "signed on " + v.BAA.SignedOn + " by " + v.BAA.By
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range [][2]string{
		{"client id", string(v.ID)},
		{"name", v.Name},
		{"type", string(v.Type)},
		{"state", v.state()},
		{"mode", string(v.Mode)},
		{"agreement (BAA)", agreement},
		{"redirect URIs", strings.Join(v.RedirectURIs, "\n\t")},
		{"scopes", v.Scopes},
		{"required scopes", v.Required},
		{"home page", v.HomePage},
		{"privacy policy", v.PolicyPage},
		{"terms", v.TermsPage},
		{"logo", v.LogoURI},
		{"", v.LogoState},
		{"access token lives", fmt.Sprintf("%d s", v.TokenTTL)},
		{"refresh grace", fmt.Sprintf("%d s", v.Grace)},
		{"nonce required", yes(v.RequireNonce)},
		{"Loop's own", yes(v.FirstParty)},
		{"verified", yes(v.Verified)},
		{"owner", string(v.Owner)},
		{"created", v.CreatedAt},
		{"updated", v.UpdatedAt},
		{"client secret", v.Secret},
	} {
		if row[1] != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if v.Review != nil {
		return v.Review.write(w, v.ID)
	}
	if v.Secret == "" {
		return nil
	}
	_, err := fmt.Fprintln(w, "\nKeep the secret now: it is not shown again.")
	return err
}
