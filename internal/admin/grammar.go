package admin

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
)

// Grammar is the administrative commands, as kong reads them.
type Grammar struct {
	Client   clientCommands   `cmd:"" help:"Register apps and change them."`
	User     userCommands     `cmd:"" help:"Make accounts, see, change, suspend and end them."`
	Session  sessionCommands  `cmd:"" help:"See where members are signed in, and sign them out."`
	Webhook  webhookCommands  `cmd:"" help:"Have an app's events sent to it, and see what became of them."`
	Operator operatorCommands `cmd:"" help:"Say which members may use the console, and what they may do there."`
	Grant    grantCommands    `cmd:"" help:"See what members allow which apps, and end it."`
	Keys     keysCommands     `cmd:"" help:"See the platform's keys, renew them, or end one that was stolen."`
	Import   importCommands   `cmd:"" help:"Take in lab results from files, and say what unknown codes mean."`
	Audit    auditCommands    `cmd:"" help:"Check the audit record, or read its end."`
	Backup   backupCommand    `cmd:"" help:"Write a copy of everything to a file, checked, while the platform runs or not."`
}

// Target is the part of a command that says which platform is meant, and how the
// answer is to look.
type Target struct {
	Dir    string `help:"The platform's folder. Without it: LOOP_DIR, the configuration's, .loop here or above, or the one that runs." placeholder:"FOLDER"`
	Config string `help:"The configuration file of the platform, as for loop serve." placeholder:"FILE"`
	JSON   bool   `name:"json" help:"Answer in JSON, for machines."`
}

// Target gives what the command line said of it.
func (g *Grammar) Target() Target {
	for _, target := range []Target{g.Client.Target, g.User.Target, g.Session.Target, g.Operator.Target, g.Webhook.Target, g.Grant.Target, g.Keys.Target, g.Import.Target, g.Audit.Target, g.Backup.Target} {
		if target != (Target{}) {
			return target
		}
	}
	return Target{}
}

// Follows reports whether the command waits for what a server that runs does.
func (g *Grammar) Follows() bool { return g.Audit.Tail.Follow }

// Stdin is what the command reads: the given input only where a flag asks for
// it, so that a command never waits for a terminal.
func (g *Grammar) Stdin(given io.Reader) (io.Reader, error) {
	if g.User.Create.PasswordStdin {
		return given, nil
	}
	if path := g.Audit.Verify.Checkpoints; path != "" {
		return readFile("checkpoints", path)
	}
	if path := g.Keys.Rewrap.MasterKeyFile; path != "" {
		return readFile("new master key", path)
	}
	if path := cmp.Or(g.Client.Create.Flags.JWKSFile, g.Client.Update.Flags.JWKSFile); path != nil && *path != "" {
		return readFile("keys", *path)
	}
	if path := g.Client.Apply.File; path == "-" {
		return given, nil
	} else if path != "" {
		return readFile("file of clients", path)
	}
	return strings.NewReader(""), nil
}

// readFile reads what a flag names here, for a server that may not see the file.
func readFile(what, path string) (io.Reader, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the operator names it
	if err != nil {
		return nil, fmt.Errorf("the %s can't be read: %w", what, err)
	}
	return strings.NewReader(string(text)), nil
}
