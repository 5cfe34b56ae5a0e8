package clinical

import (
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/jsontext"
	"github.com/loop-health/loop/internal/loop"
)

// resultLength is about how many bytes a result takes in an answer.
const resultLength = 640

// pageAnswer is the answer of docs/lab-results.md as it grows: numbers with the
// laboratory's digits, and null for what is not there. It is written field by field,
// since encoding/json would do it by reflection, which took a fifth of a read.
type pageAnswer struct {
	answer

	member loop.MemberID
	system biomarker.System
	count  int
}

// newPage begins a page of a member's results behind what is in to.
func newPage(to []byte, member loop.MemberID, system biomarker.System) *pageAnswer {
	return &pageAnswer{answer: append(to, `{"biomarkers":[`...), member: member, system: system}
}

// add writes the next result.
func (p *pageAnswer) add(r *biomarker.Judged) {
	if p.count > 0 {
		p.field(",")
	}
	p.count++
	p.result(p.member, r, p.system)
}

// end gives the answer; next is the next page's cursor.
func (p *pageAnswer) end(next string) []byte {
	p.field(`],"count":`) // on this page
	p.answer = strconv.AppendInt(p.answer, int64(p.count), 10)
	p.field(`,"next_cursor":`).textOrNull(next)
	p.field("}")
	return p.answer
}

// encodePage writes a page that is there as a whole.
func encodePage(member loop.MemberID, page biomarker.Page, system biomarker.System) []byte {
	p := newPage(make([]byte, 0, resultLength*(1+len(page.Results))), member, system)
	for i := range page.Results {
		p.add(&page.Results[i])
	}
	return p.end(page.Next)
}

// encodeResult writes one result.
func encodeResult(member loop.MemberID, r *biomarker.Judged, system biomarker.System) []byte {
	a := make(answer, 0, resultLength)
	a.result(member, r, system)
	return a
}

// encodeSummary writes the newest result of each biomarker, the one before it (or
// null) and how much it changed (or null).
func encodeSummary(member loop.MemberID, trends []biomarker.Trend, system biomarker.System) []byte {
	a := make(answer, 0, 2*resultLength*(1+len(trends)))
	a.field(`{"biomarkers":[`)
	for i := range trends {
		if i > 0 {
			a.field(",")
		}
		a.trend(member, &trends[i], system)
	}
	a.field(`],"count":`)
	a = strconv.AppendInt(a, int64(len(trends)), 10)
	return append(a, '}')
}

// answer is JSON as it grows.
type answer []byte

func (a *answer) result(member loop.MemberID, r *biomarker.Judged, system biomarker.System) {
	shown := r.In(system)
	a.field(`{"id":`).text(string(r.ID))
	a.field(`,"patient_id":`).text(string(member))
	a.field(`,"biomarker_code":`).text(string(r.Code))
	a.field(`,"biomarker_name":`).text(r.Biomarker.Name)
	a.field(`,"category":`).text(string(r.Biomarker.Category))
	a.field(`,"loinc_code":`).textOrNull(shown.LOINC)
	a.field(`,"value":`).number(shown.Value)
	a.field(`,"value_kind":`).text(string(shown.Kind))
	a.field(`,"value_text":`).textOrNull(shown.Text)
	a.field(`,"value_comparator":`).textOrNull(string(r.Comparator))
	a.field(`,"unit":`).textOrNull(shown.Unit)
	a.field(`,"unit_system":`).textOrNull(string(shown.System))
	a.original(r, shown)
	a.limit("low", shown.Reference.Low, shown.Reference.LowExcluded)
	a.limit("high", shown.Reference.High, shown.Reference.HighExcluded)
	a.field(`,"status":`).textOrNull(string(r.Status))
	a.field(`,"status_rule":`).textOrNull(string(r.Rule))
	a.field(`,"critical_direction":`).textOrNull(string(r.Direction))
	a.field(`,"source":`).text(r.Source)
	a.field(`,"collected_at":"`).collected(r)
	a.field(`,"parsed_at":`).moment(r.ParsedAt)
	*a = append(*a, '}')
}

func (a *answer) trend(member loop.MemberID, t *biomarker.Trend, system biomarker.System) {
	a.field(`{"biomarker_code":`).text(string(t.Newest.Code))
	a.field(`,"newest":`).result(member, &t.Newest, system)
	a.field(`,"previous":`)
	if t.Previous == nil {
		a.field("null")
	} else {
		a.result(member, t.Previous, system)
	}
	a.field(`,"change":`).number(t.Change(system))
	a.field("}")
}

// original writes what the laboratory reported, where the answer gives another
// unit; else null.
func (a *answer) original(r *biomarker.Judged, shown biomarker.Shown) {
	if !shown.Converted {
		a.field(`,"original":null`)
		return
	}
	a.field(`,"original":{"value":`).number(r.Value)
	a.field(`,"unit":`).text(r.Unit)
	a.field("}")
}

// limit writes one end of the reference interval, and whether a value that equals
// it is inside.
func (a *answer) limit(end string, limit biomarker.Decimal, excluded bool) {
	a.field(`,"reference_`).field(end).field(`":`).number(limit)
	a.field(`,"reference_`).field(end).field(`_included":`)
	switch {
	case !limit.Present():
		a.field("null")
	case excluded:
		a.field("false")
	default:
		a.field("true")
	}
}

// field writes what stands before a value.
func (a *answer) field(before string) *answer {
	*a = append(*a, before...)
	return a
}

func (a *answer) text(text string) { *a = jsontext.AppendText(*a, text) }

func (a *answer) textOrNull(text string) {
	if text == "" {
		*a = append(*a, "null"...)
		return
	}
	a.text(text)
}

func (a *answer) number(d biomarker.Decimal) {
	if !d.Present() {
		*a = append(*a, "null"...)
		return
	}
	*a = append(*a, d.String()...)
}

func (a *answer) collected(r *biomarker.Judged) {
	*a = append(r.AppendCollected(*a), '"')
}

func (a *answer) moment(t time.Time) {
	*a = append(*a, '"')
	*a = t.AppendFormat(*a, time.RFC3339Nano)
	*a = append(*a, '"')
}
