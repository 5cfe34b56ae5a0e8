package inquiry

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// Where clinical answers what it keeps of a member's results.
const (
	resultsPath = "/internal/results/list/"
	resultPath  = "/internal/results/one/"
)

// resultsAtOnce is how many results are in an answer: of the longest texts, less than
// maxAnswer.
const resultsAtOnce = 200

type (
	resultsQuestion struct {
		Member    loop.MemberID
		Selection biomarker.Selection
	}
	resultsAnswer struct {
		Results []biomarker.Result
		Arrival int64
		More    bool // there may be further ones behind these
	}
	resultQuestion struct {
		Member loop.MemberID
		ID     loop.ResultID
	}
)

// ResultsClient asks clinical for a member's results (biomarker.Results), for the
// member's own eyes: what it gives is not recorded as a read, so who shows it records
// that. It is safe for concurrent use.
type ResultsClient struct{ asker }

// NewResultsClient makes a client of the clinical host at an address.
func NewResultsClient(clinical *url.URL, client *http.Client, w loop.World, ring *credential.Ring) *ResultsClient {
	return &ResultsClient{asker{clinical, client, w, newProof(ring)}}
}

// ListResults hands a member's results to each (biomarker.Results), asking for some at a
// time.
func (c *ResultsClient) ListResults(ctx context.Context, member loop.MemberID, s biomarker.Selection, each func(*biomarker.Result) bool) (arrival int64, err error) {
	for {
		var answer resultsAnswer
		if err := c.askAbout(ctx, resultsPath, resultsQuestion{member, s}, &answer); err != nil {
			return 0, err
		}
		for i := range answer.Results {
			if !each(&answer.Results[i]) {
				return answer.Arrival, nil
			}
		}
		if !answer.More {
			return answer.Arrival, nil
		}
		last := &answer.Results[len(answer.Results)-1]
		s.After = biomarker.Position{CollectedAt: last.CollectedAt, ID: last.ID, Arrival: answer.Arrival}
	}
}

// FindResult gives one of a member's results (biomarker.Results).
func (c *ResultsClient) FindResult(ctx context.Context, member loop.MemberID, id loop.ResultID) (*biomarker.Result, error) {
	var found *biomarker.Result
	if err := c.askAbout(ctx, resultPath, resultQuestion{member, id}, &found); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, loop.ErrNotFound
	}
	return found, nil
}

// ResultsServer answers what clinical keeps of a member's results, on clinical's host.
type ResultsServer struct {
	answerer
	results biomarker.Results
}

// NewResultsServer makes a server that answers whoever has the ring.
func NewResultsServer(results biomarker.Results, w loop.World, ring *credential.Ring) *ResultsServer {
	return &ResultsServer{answerer{w, newProof(ring)}, results}
}

// Mount adds the server's routes to clinical's site.
func (s *ResultsServer) Mount(site *web.Site) {
	site.API("GET "+resultsPath+"{question}", s.proven(answered(s.list)))
	site.API("GET "+resultPath+"{question}", s.proven(answered(s.find)))
}

func (s *ResultsServer) list(ctx context.Context, q resultsQuestion) (answer resultsAnswer, err error) {
	answer.Arrival, err = s.results.ListResults(ctx, q.Member, q.Selection, func(result *biomarker.Result) bool {
		answer.Results = append(answer.Results, *result)
		answer.More = len(answer.Results) == resultsAtOnce
		return !answer.More
	})
	return answer, err
}

// find gives null where there is no such result: a 404 would also be the answer to who
// may not ask.
func (s *ResultsServer) find(ctx context.Context, q resultQuestion) (*biomarker.Result, error) {
	found, err := s.results.FindResult(ctx, q.Member, q.ID)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return found, err
}
