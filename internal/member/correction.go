package member

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// Correction is what an operator changes of a member. What is nil stays as it is.
type Correction struct {
	Name, Email   *string
	EmailVerified *bool // somebody has checked that the address is theirs; a new address is not verified without it
	Sex           *loop.Sex
	BirthDate     *string // such as 1980-02-29; empty: not known
}

// Correct changes a member on behalf of an operator. All faults come back at once, joined,
// each a ValidationError of its field, and an address that another account has among
// them; NotFound where there is no such member. Where the address changes, links that
// went to the one before end, and letters about it go to both.
func (a *Accounts) Correct(ctx context.Context, id loop.MemberID, c Correction, by audit.Actor) (*loop.Member, error) {
	now := a.World.Now()
	if err := c.check(now); err != nil {
		return nil, err
	}
	var corrected *loop.Member
	err := a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		if !m.ErasedAt.IsZero() {
			return Change{}, loop.Errorf(loop.NotFound, "This member was erased.")
		}
		before := *m
		fields := c.apply(m, now)
		corrected = m
		if len(fields) == 0 {
			return Change{}, nil
		}
		m.UpdatedAt = a.World.Now()
		rec := audit.NewRecord(ctx, m.UpdatedAt, audit.MemberUpdated, by)
		rec.Member, rec.Detail = id, audit.Detail{"fields": strings.Join(fields, " ")}
		change := Change{Records: []audit.Record{rec}}
		if m.Email != before.Email {
			change.EndsLinks = []LinkPurpose{ToProveAddress, ToResetPassword}
			change.Messages = a.lettersOfAddress(m, before.Email)
		}
		return change, nil
	})
	if errors.Is(err, ErrAddressTaken) {
		return nil, loop.Errorf(loop.ValidationError, "Another account has this address.").About("email")
	}
	return corrected, noMember(err)
}

// check gives all faults of a correction.
func (c *Correction) check(now time.Time) error {
	var faults []error
	if c.Name != nil {
		_, err := loop.ParseName(*c.Name)
		faults = append(faults, err)
	}
	if c.Email != nil {
		_, err := loop.ParseEmail(*c.Email)
		faults = append(faults, err)
	}
	if c.Sex != nil {
		faults = append(faults, checkSex(*c.Sex))
	}
	if c.BirthDate != nil {
		_, err := loop.ParseBirthDate(*c.BirthDate, now)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// apply changes a member by a correction that was checked, and names the fields that are
// others now.
func (c *Correction) apply(m *loop.Member, now time.Time) (fields []string) {
	before := *m
	if c.Name != nil {
		m.Name, _ = loop.ParseName(*c.Name)
	}
	if c.Email != nil {
		m.Email, _ = loop.ParseEmail(*c.Email)
	}
	if m.Email != before.Email {
		m.EmailVerified = false
	}
	if c.EmailVerified != nil {
		m.EmailVerified = *c.EmailVerified
	}
	if c.Sex != nil {
		m.Sex = *c.Sex
	}
	if c.BirthDate != nil {
		m.BornOn, _ = loop.ParseBirthDate(*c.BirthDate, now)
	}
	for _, field := range []struct {
		name    string
		changed bool
	}{
		{"name", m.Name != before.Name},
		{"email", m.Email != before.Email},
		{"email_verified", m.EmailVerified != before.EmailVerified},
		{"sex", m.Sex != before.Sex},
		{"birth_date", !m.BornOn.Equal(before.BornOn)},
	} {
		if field.changed {
			fields = append(fields, field.name)
		}
	}
	return fields
}

// lettersOfAddress are the letters to both addresses of a member whose address changed.
func (a *Accounts) lettersOfAddress(m *loop.Member, before loop.Email) []outbox.Message {
	args := []string{string(before), string(m.Email)}
	return a.Office.Compose(
		mail.Letter{Text: mail.AddressChanged, Member: m.ID, To: before, Args: args},
		mail.Letter{Text: mail.AddressChanged, Member: m.ID, To: m.Email, Args: args},
	)
}

func checkSex(sex loop.Sex) error {
	if sex != "" && sex != loop.Female && sex != loop.Male {
		return loop.Errorf(loop.ValidationError, "The sex is female, male or left out.").About("sex")
	}
	return nil
}
