package intake

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// Asides is where results wait whose codes nobody knows.
type Asides interface {
	// ListAsides gives some of what is aside behind a place, in order; none behind the
	// last.
	ListAsides(ctx context.Context, after AsidePlace) ([]AsideOf, error)
	// NameCode says what a sender's code means from now on, with the record.
	NameCode(ctx context.Context, name biomarker.Name, code biomarker.Code, rec audit.Record) error
}

// AsidePlace is a place in the list of what is aside; the zero place is its beginning.
type AsidePlace struct {
	Member   loop.MemberID
	Identity Hash
}

// AsideOf is a result that waits, and whose it is.
type AsideOf struct {
	Member loop.MemberID
	AsideResult
}

// name gives the first code of the result, under which it waits.
func (a *AsideOf) name() biomarker.Name { return scoped(a.Result.Names[0], a.Source) }

// UnknownCode is a code that nobody knows, and how many results wait for it.
type UnknownCode struct {
	System string `json:"system"`
	Code   string `json:"code"`
	Count  int    `json:"count"`
}

// UnknownCodes lists the codes that results wait for, the most frequent first.
func (k *Keeper) UnknownCodes(ctx context.Context) ([]UnknownCode, error) {
	counts := make(map[biomarker.Name]int)
	err := k.eachAside(ctx, func(a AsideOf) error {
		counts[a.name()]++
		return nil
	})
	codes := []UnknownCode{}
	for name, count := range counts {
		codes = append(codes, UnknownCode{name.System, name.Code, count})
	}
	slices.SortFunc(codes, func(a, b UnknownCode) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.System, b.System), cmp.Compare(a.Code, b.Code))
	})
	return codes, err
}

func (k *Keeper) eachAside(ctx context.Context, each func(AsideOf) error) error {
	var place AsidePlace
	for {
		some, err := k.Asides.ListAsides(ctx, place)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, a := range some {
			if len(a.Result.Names) > 0 { // else its member was erased
				if err := each(a); err != nil {
					return err
				}
			}
			place = AsidePlace{a.Member, a.Identity}
		}
	}
}

// Mapped counts what became of the results that waited for a code.
type Mapped struct {
	Counts  map[Kind]int `json:"counts"`
	Refused []string     `json:"refused,omitempty"` // the reasons; what was refused stays aside
}

// Map says what a sender's code means from now on, and imports what waits for it. A
// code whose meaning the catalogue knows is refused: nobody may make glucose of
// sodium's code.
func (k *Keeper) Map(ctx context.Context, by Sender, name biomarker.Name, code biomarker.Code) (Mapped, error) {
	mapped := Mapped{Counts: make(map[Kind]int)}
	if err := k.checkMapping(name, code); err != nil {
		return mapped, err
	}
	if err := k.Asides.NameCode(ctx, name, code, audit.Record{
		At: k.World.Now(), Event: audit.CodeMapped, Actor: by.Actor,
		Detail: audit.Detail{"system": name.System, "code": name.Code, "biomarker": string(code)}, Origin: audit.OriginOf(ctx),
	}); err != nil {
		return mapped, err
	}
	return mapped, k.eachAside(ctx, func(a AsideOf) error {
		if a.name() != name {
			return nil
		}
		by.Client = a.Client
		outcomes, err := k.keep(ctx, by, Batch{Source: a.Source, Items: []Item{{a.Member, a.Result}}}, true)
		if err != nil {
			return err
		}
		mapped.Counts[outcomes[0].Kind]++
		if reason := outcomes[0].Reason; reason != "" && !slices.Contains(mapped.Refused, reason) {
			mapped.Refused = append(mapped.Refused, reason)
		}
		return nil
	})
}

func (k *Keeper) checkMapping(name biomarker.Name, code biomarker.Code) error {
	b, known := k.Catalogue.Find(code)
	switch {
	case !known:
		return loop.Errorf(loop.ValidationError, "There is no biomarker with this code. GET /v1/biomarkers/catalog lists them.").About("biomarker")
	case name.Code == "" || !strings.Contains(name.System, ":") || len(name.System) > maxName || len(name.Code) > maxName:
		return loop.Errorf(loop.ValidationError, "Name the code as loop import codes lists it: its system, which is a URI, and the code.").About("code")
	}
	if name.System != biomarker.SystemLOINC {
		return nil
	}
	if other, known := k.Catalogue.FindLOINC(name.Code); known {
		return loop.Errorf(loop.ValidationError, "This LOINC code stands for %s in the catalogue, and can't be mapped to another biomarker.", other.Code).About("code")
	}
	if k.Catalogue.Distinct(name.Code, b) {
		return loop.Errorf(loop.ValidationError, "This LOINC code looks like %s and is another quantity.", b.Code).About("code")
	}
	return nil
}
