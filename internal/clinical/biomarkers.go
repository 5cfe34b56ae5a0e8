package clinical

import (
	"context"
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

// The formats of lists of results.
const (
	formatJSON = "application/json"
	formatCSV  = "text/csv"
)

// listBiomarkers answers GET /v1/biomarkers/me: the member's results, newest
// first. The read is recorded before it is answered; where it can't be, nothing
// is sent.
func (h *Host) listBiomarkers(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	format, err := web.Negotiate(r, formatJSON, formatCSV)
	if err != nil {
		return err
	}
	query, err := h.query(r)
	if err != nil {
		return err
	}
	person, err := h.person(r.Context(), token.Member)
	if err != nil {
		return err
	}
	if format == formatCSV {
		return h.listAsCSV(w, r, token, person, query)
	}
	body := web.TakeBuffer()
	page := newPage(body.Body, token.Member, query.System)
	next, err := h.Biomarkers.Each(r.Context(), token.Member, person, query, page.add)
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	if err := h.recordPage(w, r, token, page.count, query, next); err != nil {
		return err
	}
	body.Body = page.end(next)
	body.SendJSON(w, http.StatusOK)
	return nil
}

func (h *Host) listAsCSV(w http.ResponseWriter, r *http.Request, token oauth.AccessToken, person biomarker.Person, query biomarker.Query) error {
	page, err := h.Biomarkers.Read(r.Context(), token.Member, person, query)
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	if err := h.recordPage(w, r, token, len(page.Results), query, page.Next); err != nil {
		return err
	}
	return writeCSV(w, token.Member, page, query.System)
}

// recordPage records the read of a page, and sets the headers of its answer.
func (h *Host) recordPage(w http.ResponseWriter, r *http.Request, token oauth.AccessToken, count int, query biomarker.Query, next string) error {
	if err := h.record(r, token, count, query.Filters()); err != nil {
		return err
	}
	h.linkNext(w, r, next)
	w.Header().Add("Vary", "Accept")
	return nil
}

func (h *Host) query(r *http.Request) (biomarker.Query, error) {
	parameters, err := web.Query(r, biomarker.QueryParameters()...)
	if err != nil {
		return biomarker.Query{}, err
	}
	return h.Biomarkers.Catalogue.ParseQuery(parameters)
}

// person gives what intervals depend on.
func (h *Host) person(ctx context.Context, member loop.MemberID) (biomarker.Person, error) {
	person, err := h.Members.Person(ctx, member)
	if err != nil {
		return biomarker.Person{}, web.Unavailable(fmt.Errorf("asking for the member's sex and birth date: %w", err))
	}
	return person, nil
}

// linkNext names the next page in a header too (RFC 8288), for formats that have
// no place for it.
func (h *Host) linkNext(w http.ResponseWriter, r *http.Request, cursor string) {
	if cursor == "" {
		return
	}
	parameters := r.URL.Query()
	parameters.Set("cursor", cursor)
	w.Header().Set("Link", "<"+h.site.PublicURL.String()+r.URL.EscapedPath()+"?"+parameters.Encode()+`>; rel="next"`)
}

// refusedOr passes on what is already said to the outside and has otherwise
// answer the rest.
func refusedOr(otherwise func(error) error, err error) error {
	if _, public := errors.AsType[*loop.Error](err); public {
		return err
	}
	return otherwise(err)
}

// record leaves who read how many of whose results, and by which filters; it holds
// no value, neither of a result nor of a filter. It returns once that is durable.
func (h *Host) record(r *http.Request, token oauth.AccessToken, count int, filters []string) error {
	return h.recordDetail(r, token, readDetail(count, filters))
}

func readDetail(count int, filters []string) audit.Detail {
	detail := audit.Detail{"count": strconv.Itoa(count)}
	if len(filters) > 0 {
		detail["filters"] = strings.Join(filters, " ")
	}
	return detail
}

func (h *Host) recordDetail(r *http.Request, token oauth.AccessToken, detail audit.Detail) error {
	err := h.Records.RecordRead(r.Context(), audit.Record{
		At:     h.World.Now(),
		Event:  audit.BiomarkersRead,
		Actor:  audit.Actor{Kind: audit.ByClient, ID: string(token.Client)},
		Member: token.Member,
		Client: token.Client,
		Grant:  token.Grant,
		Detail: detail,
		Origin: audit.OriginOf(r.Context()),
	})
	if err != nil {
		return web.Unavailable(fmt.Errorf("recording the read: %w", err))
	}
	return nil
}
