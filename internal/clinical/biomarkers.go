package clinical

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

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
	page, err := h.Biomarkers.Read(ctx, token.Member, biomarker.Person{Sex: sex}, query)
	if err != nil {
		return refusedOr(unavailable, err)
	}
	if err := h.Records.RecordRead(ctx, h.readRecord(r, token, &query, len(page.Results))); err != nil {
		return unavailable(fmt.Errorf("recording the read: %w", err))
	}
	web.WriteEncodedJSON(w, http.StatusOK, encodePage(token.Member, page, query.System))
	return nil
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
