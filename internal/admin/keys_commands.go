package admin

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/loop-health/loop/internal/credential"
)

type keysCommands struct {
	Target `embed:""`

	List   keysList   `cmd:"" help:"List all keys: what for, in which state, until when."`
	Rotate keysRotate `cmd:"" help:"Make new keys before their time. Nothing ends, and nobody is signed out."`
	Revoke keysRevoke `cmd:"" help:"End keys that were stolen, and everything that they made, at once."`
	Rewrap keysRewrap `cmd:"" help:"Seal all keys under a new master key."`
}

type keysList struct{}

// Run lists every key.
func (cmd *keysList) Run(run *Run) error {
	lives, err := run.Operations.Keys.Lives(run.Context)
	if err != nil {
		return err
	}
	views := viewKeys(lives)
	return run.show(views, func(w io.Writer) error { return writeKeys(w, views) })
}

type keysRotate struct {
	Purpose string `arg:"" optional:"" help:"Only those for this: access, refresh, signing, ES256 … Without it: all but the audit key, which stays."`
}

// Run makes new keys.
func (cmd *keysRotate) Run(run *Run) error {
	slots, err := cmd.slots()
	if err != nil {
		return err
	}
	made, err := run.Operations.Keys.RotateNow(run.Context, slots, Operator)
	if err != nil {
		return err
	}
	views := viewKeys(made)
	return run.show(views, func(w io.Writer) error {
		if err := writeKeys(w, views); err != nil {
			return err
		}
		return line("\nEach takes over at the moment in its row. What the keys before them made stays good until it expires.")(w)
	})
}

// slots reads what is to be rotated: a purpose, an algorithm, or everything.
func (cmd *keysRotate) slots() ([]credential.Slot, error) {
	var slots []credential.Slot
	var known []string
	for _, slot := range credential.Slots() {
		purpose, algorithm := string(slot.Purpose), string(slot.Algorithm)
		known = append(known, purpose, algorithm)
		if cmd.Purpose == purpose || cmd.Purpose != "" && cmd.Purpose == algorithm || cmd.Purpose == "" && slot.Purpose != credential.ForAudit {
			slots = append(slots, slot)
		}
	}
	if len(slots) == 0 {
		known = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(known))), func(name string) bool { return name == "" })
		return nil, fmt.Errorf("there are no keys for %q: there are keys for %s", cmd.Purpose, strings.Join(known, ", "))
	}
	return slots, nil
}

type keysRevoke struct {
	Keys []uint32 `arg:"" name:"key" help:"Their ids: loop keys list shows them."`
}

// Run revokes keys and says what that ended.
func (cmd *keysRevoke) Run(run *Run) error {
	revoked, made, err := run.Operations.Keys.Revoke(run.Context, cmd.Keys, Operator)
	if err != nil {
		return err
	}
	view := struct {
		Revoked []keyView `json:"revoked"`
		Made    []keyView `json:"made"`
	}{viewKeys(revoked), viewKeys(made)}
	return run.show(view, func(w io.Writer) error {
		var all []error
		for _, life := range revoked {
			all = append(all, line("Key %d (%s) is gone. %s", life.ID, life.Slot, ended(life))(w))
		}
		for _, life := range made {
			all = append(all, line("Key %d (%s) is at work in its place.", life.ID, life.Slot)(w))
		}
		return errors.Join(all...)
	})
}

// ended says what a key's revocation ended, and how people go on.
func ended(life credential.KeyLife) string {
	if life.State == credential.KeyAnnounced {
		return "It had made nothing yet."
	}
	return map[credential.Purpose]string{
		credential.ForAccessTokens:  "The access tokens that it sealed have ended: apps refresh them and go on.",
		credential.ForCodes:         "The authorization codes that it sealed have ended: apps begin again.",
		credential.ForRefreshTokens: "The refresh tokens that it sealed have ended: members connect those apps again.",
		credential.ForContinuations: "Sign-in and consent pages that lie open have ended: members begin again from the app.",
		credential.ForTickets:       "Consent pages that lie open are shown again.",
		credential.ForPages:         "Forms that lie open and cursors of lists have ended: they are loaded again.",
		credential.ForPortal:        "Developers are signed out of the portal.",
		credential.ForSignIn:        "Sign-ins that wait for a passkey or a code begin again.",
		credential.ForFactors:       "The codes of authenticator apps that members set up under it work no longer: those members use a recovery code or a passkey.",
		credential.ForEvents:        "Events that wait for webhooks, or are kept to be sent again, can't be read any more.",
		credential.ForSigning:       "Nobody accepts what it signed once they have read the key set again; ID tokens are no longer taken as hints here.",
	}[life.Purpose]
}

type keysRewrap struct {
	MasterKeyFile string `required:"" help:"The file with the new master key: 32 bytes in base64." placeholder:"FILE"`
}

// maxMasterInput bounds what is read as a master key.
const maxMasterInput = 4 << 10

// Run seals all keys under the new master key.
func (cmd *keysRewrap) Run(run *Run) error {
	text, err := io.ReadAll(io.LimitReader(run.Stdin, maxMasterInput)) // the file that Grammar.Stdin has opened
	if err != nil {
		return fmt.Errorf("reading the new master key: %w", err)
	}
	master, err := credential.ParseMaster(string(text))
	if err != nil {
		return err
	}
	count, err := run.Operations.Keys.Rewrap(run.Context, master, Operator)
	if err != nil {
		return err
	}
	return run.show(map[string]any{"rewrapped": count}, line("%d keys are sealed under the new master key. A running platform goes on as it is.\n"+
		"Before its next start, give it the new one: LOOP_MASTER_KEY, or the file that holds it. The old one opens backups from before, and nothing else.", count))
}

// keyView is a key as an operator sees it.
type keyView struct {
	ID         uint32              `json:"id"`
	Purpose    string              `json:"purpose"`
	Algorithm  string              `json:"algorithm,omitempty"`
	State      credential.KeyState `json:"state"`
	CreatedAt  string              `json:"created_at"`
	SealsFrom  string              `json:"seals_from"`
	SealsUntil string              `json:"seals_until,omitempty"`
	KeptUntil  string              `json:"kept_until,omitempty"`
}

func viewKeys(lives []credential.KeyLife) []keyView {
	views := make([]keyView, len(lives))
	for i, life := range lives {
		views[i] = keyView{
			ID: life.ID, Purpose: string(life.Purpose), Algorithm: string(life.Algorithm), State: life.State,
			CreatedAt: moment(life.CreatedAt), SealsFrom: moment(life.SealsFrom), SealsUntil: moment(life.SealsUntil), KeptUntil: moment(life.KeptUntil),
		}
	}
	return views
}

func writeKeys(w io.Writer, views []keyView) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "KEY\tPURPOSE\tALGORITHM\tSTATE\tMADE\tFROM\tUNTIL\tKEPT UNTIL")
	for _, v := range views {
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Purpose, v.Algorithm, v.State, v.CreatedAt, v.SealsFrom, v.SealsUntil, v.KeptUntil)
	}
	return table.Flush()
}
