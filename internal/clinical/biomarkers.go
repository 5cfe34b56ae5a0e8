package clinical

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// listBiomarkers answers GET /v1/biomarkers/me: the member's results, newest
// first. The read is recorded before it is answered; where it can't be, nothing
// is told.
func (h *Host) listBiomarkers(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	parameters, err := web.Query(r)
	if err != nil {
		return err
	}
	query, err := h.Biomarkers.Catalogue.ParseQuery(parameters)
	if err != nil {
		return err
	}
	ctx := r.Context()
	sex, err := h.Members.Sex(ctx, token.Member)
	if err != nil {
		return unavailable(fmt.Errorf("asking for the member's sex: %w", err))
	}
	page, err := h.Biomarkers.Read(ctx, token.Member, sex, query)
	if err != nil {
		return refusedOr(unavailable, err)
	}
	if err := h.Records.RecordRead(ctx, h.readRecord(r, token, &query, len(page.Results))); err != nil {
		return unavailable(fmt.Errorf("recording the read: %w", err))
	}
	return web.WriteJSON(w, http.StatusOK, newBiomarkersAnswer(token.Member, page))
}

// refusedOr passes on what is already said to the outside and has otherwise
// answer the rest.
func refusedOr(otherwise func(error) error, err error) error {
	if _, told := errors.AsType[*loop.Error](err); told {
		return err
	}
	return otherwise(err)
}

// readRecord says who read how many of whose results, and by which filters; it
// holds no value, neither of a result nor of a filter.
func (h *Host) readRecord(r *http.Request, token oauth.AccessToken, query *biomarker.Query, count int) audit.Record {
	detail := audit.Detail{"count": strconv.Itoa(count)}
	if filters := query.Filters(); len(filters) > 0 {
		detail["filters"] = strings.Join(filters, " ")
	}
	return audit.Record{
		At:     h.World.Now(),
		Event:  audit.BiomarkersRead,
		Actor:  audit.Actor{Kind: audit.ByClient, ID: string(token.Client)},
		Member: token.Member,
		Client: token.Client,
		Grant:  token.Grant,
		Detail: detail,
		Origin: audit.OriginOf(r.Context()),
	}
}

// biomarkersAnswer is the answer of platform section 13.
type biomarkersAnswer struct {
	Biomarkers []biomarkerAnswer `json:"biomarkers"`
	Count      int               `json:"count"` // on this page
	NextCursor *string           `json:"next_cursor"`
}

// biomarkerAnswer is one result in it. Numbers have the laboratory's digits;
// what is not there is null.
type biomarkerAnswer struct {
	ID            loop.ResultID      `json:"id"`
	PatientID     loop.MemberID      `json:"patient_id"`
	Code          biomarker.Code     `json:"biomarker_code"`
	Name          string             `json:"biomarker_name"`
	Category      biomarker.Category `json:"category"`
	LOINC         *string            `json:"loinc_code"`
	Value         biomarker.Decimal  `json:"value"`
	Comparator    *string            `json:"value_comparator"`
	Unit          string             `json:"unit"`
	ReferenceLow  biomarker.Decimal  `json:"reference_low"`
	ReferenceHigh biomarker.Decimal  `json:"reference_high"`
	Status        *string            `json:"status"`
	Source        string             `json:"source"`
	CollectedAt   time.Time          `json:"collected_at"`
	ParsedAt      time.Time          `json:"parsed_at"`
}

func newBiomarkersAnswer(member loop.MemberID, page biomarker.Page) biomarkersAnswer {
	answer := biomarkersAnswer{
		Biomarkers: make([]biomarkerAnswer, len(page.Results)),
		Count:      len(page.Results),
		NextCursor: orNull(page.Next),
	}
	for i := range page.Results {
		r := &page.Results[i]
		answer.Biomarkers[i] = biomarkerAnswer{
			ID: r.ID, PatientID: member,
			Code: r.Code, Name: r.Biomarker.Name, Category: r.Biomarker.Category, LOINC: orNull(r.Biomarker.LOINC),
			Value: r.Value, Comparator: orNull(r.Comparator), Unit: r.Unit,
			ReferenceLow: r.Reference.Low, ReferenceHigh: r.Reference.High, Status: orNull(r.Status),
			Source: r.Source, CollectedAt: r.CollectedAt, ParsedAt: r.ParsedAt,
		}
	}
	return answer
}

// orNull is a text in JSON, or null where it is empty.
func orNull[T ~string](text T) *string {
	if text == "" {
		return nil
	}
	plain := string(text)
	return &plain
}
