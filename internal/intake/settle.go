package intake

import (
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// settle decides what becomes of one result.
func (d *decision) settle(same Hash, reported *biomarker.Reported) Outcome {
	if fault := bounded(reported); fault != "" {
		return Outcome{Kind: Refused, Reason: fault}
	}
	if reported.State == biomarker.Deleted {
		return d.deleteVersion(same)
	}
	b, err := d.named(reported)
	if err != nil {
		return refused(err)
	}
	if b == nil {
		d.change.Aside = append(d.change.Aside, AsideResult{Identity: same, Source: d.batch.Source, Client: d.by.Client, Result: *reported})
		return Outcome{Kind: Aside, Name: scoped(reported.Names[0], d.batch.Source)}
	}
	result, err := d.read(b, reported)
	if err != nil {
		return refused(err)
	}
	return d.keep(same, result, reported)
}

// named finds what a result is of; nil where none of its codes is known.
func (d *decision) named(reported *biomarker.Reported) (*biomarker.Biomarker, error) {
	var found *biomarker.Biomarker
	for _, name := range reported.Names {
		b, known := d.meant(name)
		if known && found != nil && found != b {
			return nil, loop.Errorf(loop.ValidationError, "Its codes stand for different biomarkers.").About("code")
		}
		if known {
			found = b
		}
	}
	return found, nil
}

func (d *decision) meant(name biomarker.Name) (*biomarker.Biomarker, bool) {
	if name.System == biomarker.SystemLOINC {
		if b, known := d.keeper.Catalogue.FindLOINC(name.Code); known {
			return b, true
		}
	}
	code, mapped := d.names[scoped(name, d.batch.Source)]
	if !mapped {
		return nil, false
	}
	return d.keeper.Catalogue.Find(code)
}

// scoped keeps a code without a system, which means something at its sender alone,
// apart from the same code of another.
func scoped(name biomarker.Name, source string) biomarker.Name {
	if name.System == "" {
		name.System = "source:" + source
	}
	return name
}

// read makes a result of what was reported.
func (d *decision) read(b *biomarker.Biomarker, reported *biomarker.Reported) (biomarker.Result, error) {
	in := reported.Incoming
	in.Code, in.Source = b.Code, d.batch.Source
	for _, name := range reported.Names {
		if known, is := d.keeper.Catalogue.FindLOINC(name.Code); is && known == b && name.System == biomarker.SystemLOINC && in.LOINC == "" {
			in.LOINC = name.Code
		}
	}
	d.keeper.Catalogue.Settle(b, &in)
	result, err := d.keeper.Catalogue.Read(&in, d.keeper.World.Now())
	if err != nil {
		return biomarker.Result{}, err
	}
	result.ID, result.SentBy = loop.NewResultID(d.keeper.World), d.by.Client
	return result, d.keeper.Catalogue.Validate(&result)
}

// keep adds a result, unless it is there.
func (d *decision) keep(same Hash, result biomarker.Result, reported *biomarker.Reported) Outcome {
	versions, hash := d.known[same], d.existing.Hash(content(&result))
	if slices.ContainsFunc(versions, func(v Version) bool { return v.Content == hash }) {
		return Outcome{Kind: Duplicate}
	}
	kind := Kept
	switch {
	case len(versions) == 0:
	case reported.State == biomarker.Corrected:
		kind = Corrected
		d.retract(same)
	case reported.Report != "":
		return Outcome{Kind: Refused, Reason: "Another value was imported for the same report, code and time, and this one is not marked as its correction."}
	}
	added := Version{Identity: same, Number: len(versions), Content: hash, Result: result.ID}
	d.change.Add, d.change.Versions = append(d.change.Add, result), append(d.change.Versions, added)
	d.known[same] = append(versions, added)
	return Outcome{Kind: kind}
}

// deleteVersion marks the newest version of a result as entered in error.
func (d *decision) deleteVersion(same Hash) Outcome {
	versions := d.known[same]
	switch {
	case len(versions) == 0:
		return Outcome{Kind: Refused, Reason: "It is marked as entered in error, and was not imported before."}
	case versions[len(versions)-1].Retracted:
		return Outcome{Kind: Duplicate}
	}
	d.retract(same)
	return Outcome{Kind: Deleted}
}

// retract marks the newest version of a result, if it stands, one of this change too.
func (d *decision) retract(same Hash) {
	newest := &d.known[same][len(d.known[same])-1]
	if newest.Retracted {
		return
	}
	newest.Retracted = true
	for i := range d.change.Add {
		if d.change.Add[i].ID == newest.Result {
			d.change.Add[i].RetractedAt = d.keeper.World.Now()
			d.change.Versions[i].Retracted = true
			return
		}
	}
	d.change.Retract = append(d.change.Retract, *newest)
}

// settleAsides leaves out of the change what is aside already.
func (d *decision) settleAsides() error {
	if len(d.change.Aside) == 0 {
		return nil
	}
	identities := make([]Hash, len(d.change.Aside))
	for i := range d.change.Aside {
		identities[i] = d.change.Aside[i].Identity
	}
	there, err := d.existing.Asides(identities)
	if err != nil {
		return err
	}
	d.change.Aside = slices.DeleteFunc(d.change.Aside, func(a AsideResult) bool {
		known := there[a.Identity]
		there[a.Identity] = true
		return known
	})
	return nil
}

// Bounds of what a document says of one result.
const (
	maxNames = 16
	maxName  = 200
	maxWords = 1000
)

// bounded says what of a result is longer than it may be.
func bounded(r *biomarker.Reported) string {
	switch {
	case len(r.Names) == 0 || len(r.Names) > maxNames:
		return "It has no code, or more codes than are read."
	case len(r.Patient) > maxName || len(r.Report) > maxWords || len(r.Incoming.Unit) > maxName:
		return "An id or a unit in it is too long."
	case len(r.Incoming.Text) > maxWords || len(r.Incoming.RangeText) > maxWords:
		return "A text in it is too long."
	}
	for _, name := range r.Names {
		if name.Code == "" || len(name.System) > maxName || len(name.Code) > maxName || strings.ContainsAny(name.System+name.Code, "\x00\r\n\t") {
			return "A code in it is empty, too long, or has control characters."
		}
	}
	return ""
}
