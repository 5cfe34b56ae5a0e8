package admin

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/loop"
)

// An app is verified as members are shown it. Where its developer changes that, an
// operator compares the two and verifies what they saw: the review names it, so that
// a change that comes in between is not verified unseen.

type clientApprove struct {
	clientArgument `embed:""`
	Review         string `arg:"" optional:"" help:"Which review: loop client show names it."`
}

// Run verifies one client as the review shows it; without a review it shows it.
func (cmd *clientApprove) Run(run *Run) error {
	if cmd.Review == "" {
		return cmd.ask(run)
	}
	c, err := run.Operations.Clients.Approve(run.Context, cmd.ID, cmd.Review, Operator)
	if err != nil {
		return err
	}
	return run.show(viewClient(c), line("%s (%s) is verified, as it is now.", c.Name, c.ID))
}

func (cmd *clientApprove) ask(run *Run) error {
	c, err := run.client(cmd.ID)
	if err != nil {
		return err
	}
	view := viewClient(c)
	if view.Review == nil {
		return loop.Errorf(loop.ValidationError, "There is nothing to review: nobody has changed what Loop verified of this app.")
	}
	return run.show(view, func(w io.Writer) error { return view.Review.write(w, c.ID) })
}

// reviewView is an app as it was verified and as it is.
type reviewView struct {
	ID       string     `json:"review"`
	Verified loop.Shown `json:"verified_as"`
	Now      loop.Shown `json:"now"`
}

// write shows what was verified beside what is there now, the differences marked.
func (v *reviewView) write(w io.Writer, id loop.ClientID) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintf(table, "\nNOT VERIFIED ANY MORE\tVERIFIED AS\tNOW\t\n")
	for _, row := range [][3]string{
		{"name", v.Verified.Name, v.Now.Name},
		{"home page", v.Verified.HomePage, v.Now.HomePage},
		{"privacy policy", v.Verified.PolicyPage, v.Now.PolicyPage},
		{"terms", v.Verified.TermsPage, v.Now.TermsPage},
		{"logo", v.Verified.Logo, v.Now.Logo},
		{"logo's picture", v.Verified.Picture, v.Now.Picture},
		{"redirect hosts", strings.Join(v.Verified.Hosts, " "), strings.Join(v.Now.Hosts, " ")},
	} {
		changed := ""
		if row[1] != row[2] {
			changed = "changed"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", row[0], orNone(row[1]), orNone(row[2]), changed)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nTo verify the app as it is now: loop client approve %s %s\n", id, v.ID)
	return err
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
