package admin

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// plannedClient is a client of a file beside the one that is there.
type plannedClient struct {
	table  *clientTable
	alter  func(*loop.Client)
	before *loop.Client // nil: there is none yet
	after  *loop.Client
}

// plan finds the client of each table and what becomes of it. Every fault of every table
// comes back at once, joined.
func (run *Run) plan(tables []*clientTable) ([]*plannedClient, error) {
	clients, err := run.Operations.Store.Clients(run.Context)
	if err != nil {
		return nil, err
	}
	var (
		plans  []*plannedClient
		faults []error
	)
	for _, t := range tables {
		p, err := t.plan(clients)
		if err == nil {
			err = errors.Join(run.check(p), p.apartFrom(plans))
			plans = append(plans, p)
		}
		faults = append(faults, err)
	}
	return plans, errors.Join(faults...)
}

// plan finds the client that is meant, and alters a copy of it.
func (t *clientTable) plan(clients []*loop.Client) (*plannedClient, error) {
	change, err := t.change()
	if err != nil {
		return nil, t.faults(err)
	}
	p := &plannedClient{table: t, alter: change}
	if p.before, err = t.find(clients); err != nil {
		return nil, err
	}
	if p.before == nil {
		p.after = t.begin(t.kind(loop.Confidential), change)
	} else {
		p.after = p.before.Clone()
		p.alter = func(c *loop.Client) { alterSeen(c, change) }
		p.alter(p.after)
	}
	p.after.SetDefaults()
	return p, nil
}

// change reads the fields of the table into a function that alters a client.
func (t *clientTable) change() (func(*loop.Client), error) {
	keys := ""
	if t.JWKS != nil {
		if keys = *t.JWKS; keys != "" && !json.Valid([]byte(keys)) {
			return nil, loop.Errorf(loop.ValidationError, "jwks is no JSON. It is a key set: {\"keys\": [...]}.").About("jwks")
		}
		t.JWKSFile = t.JWKS // what the flag's file would hold is the input here
	}
	return t.clientFlags.change(strings.NewReader(keys))
}

func (t *clientTable) kind(otherwise loop.ClientType) loop.ClientType {
	if t.Type == nil {
		return otherwise
	}
	return loop.ClientType(*t.Type)
}

// alterSeen changes a client, but verifies none whose developer changed what Loop had
// verified, and which is not as it was then: an operator has to look at that one, and
// nobody looks where a file is applied.
func alterSeen(c *loop.Client, change func(*loop.Client)) {
	was := c.Verified
	change(c)
	if verified := c.Appearance.Verified; !was && verified != nil && len(verified.Difference(c.Shown())) > 0 {
		c.Verified = false
	}
}

// find gives the client that the table means: the one with its id, or else the one with
// its name and its owner, or without an owner where none is given. nil: there is none
// yet. A program that registered itself chose its name, so that it is found by id alone.
func (t *clientTable) find(clients []*loop.Client) (*loop.Client, error) {
	if t.ID != nil {
		for _, c := range clients {
			if c.ID == *t.ID {
				return c, nil
			}
		}
		return nil, t.faults(loop.Errorf(loop.ValidationError, "%s. An app that is to be made has no client_id yet.", noClient(*t.ID)).About("client_id"))
	}
	if t.Name == nil || *t.Name == "" {
		return nil, t.faults(loop.Errorf(loop.ValidationError, "names no app: give client_id, or client_name and, where a developer owns it, owner.").About("client_name"))
	}
	var found []*loop.Client
	for _, c := range clients {
		if c.Name == *t.Name && c.Owner == t.owner() && !c.Unregistered() {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return nil, nil //nolint:nilnil // it is to be made, and nothing is wrong with that
	case 1:
		return found[0], nil
	}
	ids := make([]string, len(found))
	for i, c := range found {
		ids[i] = string(c.ID)
	}
	return nil, t.faults(loop.Errorf(loop.ValidationError, "%d apps have this name and owner: say by client_id which is meant: %s.", len(found), strings.Join(ids, ", ")).About("client_name"))
}

func (t *clientTable) owner() loop.MemberID {
	if t.Owner == nil {
		return ""
	}
	return loop.MemberID(*t.Owner)
}

// check says all that is wrong with what a client is to become.
func (run *Run) check(p *plannedClient) error {
	t := p.table
	faults := run.Operations.Clients.Faults(p.after)
	if p.before != nil && t.kind(p.before.Type) != p.before.Type {
		faults = append(faults, loop.Errorf(loop.ValidationError, "The type of a client is fixed. Register a new client.").About("client_type"))
	}
	if t.Verified != nil && *t.Verified && !p.after.Verified {
		faults = append(faults, loop.Errorf(loop.ValidationError, "Its developer changed what Loop had verified. Look at it and verify it by hand: loop client approve %s.", p.after.ID).About("verified"))
	}
	if owner := t.owner(); owner != "" {
		if _, err := run.Operations.Store.Member(run.Context, owner); errors.Is(err, loop.ErrNotFound) {
			faults = append(faults, loop.Errorf(loop.ValidationError, "There is no member %q.", owner).About("owner"))
		} else if err != nil {
			return err
		}
	}
	return t.faults(faults...)
}

// apartFrom refuses a table that means the client of another, and one after which a name
// and owner would not tell two apart.
func (p *plannedClient) apartFrom(others []*plannedClient) error {
	at := slices.IndexFunc(others, func(o *plannedClient) bool {
		byID := p.table.ID != nil && o.table.ID != nil
		return p.before != nil && o.before != nil && p.before.ID == o.before.ID || !byID && p.after.Name == o.after.Name && p.after.Owner == o.after.Owner
	})
	if at < 0 {
		return nil
	}
	return p.table.faults(loop.Errorf(loop.ValidationError, "is the same app as [%s], by its id or by its name and owner.", others[at].table.label).About("client_name"))
}

// faults names the table and the line of each fault.
func (t *clientTable) faults(errs ...error) error {
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	var named []error
	for _, fault := range faultsOf(err) {
		named = append(named, t.file.fault(t.label, fault.Field, "%s", fault.Text))
	}
	return errors.Join(named...)
}
