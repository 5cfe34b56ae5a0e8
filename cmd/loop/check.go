package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/store/folder"
	"github.com/loop-health/loop/internal/store/postgres"
)

// checkTimeout bounds each check that asks another machine.
const checkTimeout = 10 * time.Second

// check looks for what a start needs, and says of each thing whether it is there or
// what to do. Where something is missing, the status is 1.
func (c *config) check(ctx context.Context, w io.Writer) error {
	_, err := fmt.Fprintf(w, "The configuration is sound: %s, with its data in %s.\n", c.IdentityURL, c.Dir)
	missing := make(map[string]bool)
	for _, check := range []struct {
		name  string
		needs string // the check without which this one would find the same again; empty: none
		run   func(context.Context) (found string, err error)
	}{
		{"folder", "", c.checkFolder},
		{"ports", "", c.checkPorts},
		{"certificate", "", c.checkCertificate},
		{"database", "folder", c.checkDatabase},
		{"master key", "database", c.checkMaster},
		{"clock", "folder", c.checkClock},
	} {
		if missing[check.needs] {
			missing[check.name] = true
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		found, fault := check.run(ctx)
		cancel()
		word := "ok"
		if fault != nil {
			word, found, missing[check.name] = "MISSING", strings.ReplaceAll(fault.Error(), "\n", "; "), true
		}
		_, wrote := fmt.Fprintf(w, "%-8s %-12s %s\n", word, check.name, found)
		err = cmp.Or(err, wrote)
	}
	for _, advice := range append(c.advice(), c.adviceOnMail(ctx)...) {
		_, wrote := fmt.Fprintf(w, "%-8s %s\n", "note", advice)
		err = cmp.Or(err, wrote)
	}
	if err == nil && len(missing) > 0 {
		return exitStatus(1)
	}
	return err
}

func (c *config) checkFolder(context.Context) (string, error) {
	info, err := os.Stat(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "a start makes it", nil
	}
	if err != nil {
		return "", fmt.Errorf("the data folder can't be read: %w", err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is a file: name a folder in dir", c.Dir)
	}
	if err := folder.CheckPrivate(c.Dir); err != nil {
		return "", err
	}
	probe, err := os.CreateTemp(c.Dir, ".check-")
	if err != nil {
		return "", fmt.Errorf("the data folder can't be written to: %w", err)
	}
	return "private and writable", errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func (c *config) checkPorts(ctx context.Context) (string, error) {
	if c.runs() {
		return "not looked at: a platform runs from the folder", nil
	}
	var free []string
	for _, address := range []listenAddress{c.IdentityListen, c.ClinicalListen, c.DevelopersListen, c.MTLSListen, c.OperationsListen} {
		if address == "" || slices.Contains(free, string(address)) {
			continue
		}
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", string(address))
		if err != nil {
			return "", fmt.Errorf("%w: end what holds the port, or choose another", err)
		}
		if err := listener.Close(); err != nil {
			return "", err
		}
		free = append(free, string(address))
	}
	return strings.Join(free, ", ") + " can be listened on", nil
}

// runs reports whether a process holds the folder.
func (c *config) runs() bool {
	if _, err := os.Stat(c.Dir); err != nil {
		return false
	}
	release, err := lockFolder(c.Dir)
	if err != nil {
		return true
	}
	_ = release() // nobody has it by then, whatever it returns
	return false
}

func (c *config) checkCertificate(context.Context) (string, error) {
	certificate, err := c.certificate(slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	if certificate == nil {
		return "none: a proxy in front ends TLS", nil
	}
	left := certificate.NotAfter().Sub(machine().Now())
	return fmt.Sprintf("good for %s, for %d days more", strings.Join(c.hostNames(), ", "), int(left/(24*time.Hour))), nil
}

// clocksApart is how far the database's clock may be from this machine's.
const clocksApart = 5 * time.Second

func (c *config) checkDatabase(ctx context.Context) (string, error) {
	if c.Database == "" {
		return "SQLite, in the folder", nil
	}
	config := postgres.Config{URL: string(c.Database), Direct: string(c.DatabaseDirect), World: machine(), Log: slog.New(slog.DiscardHandler)}
	steps, err := postgres.MigrationStatus(ctx, config)
	if err != nil {
		return "", err
	}
	for _, step := range steps {
		if !step.Applied {
			return "", fmt.Errorf("the migration %s of %s is missing, and perhaps more: run loop migrate up", step.Name, step.Schema)
		}
	}
	schemas := c.Role.Schemas()
	if err := cmp.Or(postgres.CheckRights(ctx, config, schemas...), postgres.CheckSchemas(ctx, config, schemas...)); err != nil {
		return "", err
	}
	ahead, err := postgres.ClockAhead(ctx, config)
	if err != nil {
		return "", err
	}
	if ahead.Abs() > clocksApart {
		return "", fmt.Errorf("this machine's clock is %s ahead of the database's: set both by the same time server", ahead.Round(time.Second))
	}
	return fmt.Sprintf("PostgreSQL, with all %d migrations", len(steps)), nil
}

func (c *config) checkMaster(ctx context.Context) (string, error) {
	if c.Database == "" && c.runs() {
		return "not looked at: a platform runs from the folder", nil
	}
	isNew, err := platform.CheckMaster(ctx, forProduction(c, slog.New(slog.DiscardHandler)))
	if err != nil {
		return "", err
	}
	if isNew {
		return "nothing to open yet: a start begins a new platform", nil
	}
	return "opens what is there", nil
}

func (c *config) checkClock(context.Context) (string, error) {
	return "not behind the newest checkpoint", platform.CheckClock(c.Dir, machine())
}

// adviceOnMail says that mails would wait. A start doesn't need the mail server, so
// nothing is missing without it.
func (c *config) adviceOnMail(ctx context.Context) []string {
	server, configured := c.mailServer().(*mail.SMTP)
	if !configured {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := server.Check(ctx); err != nil {
		return []string{fmt.Sprintf("the mail server can't be used, and mails wait until it can: %v", err)}
	}
	return nil
}
