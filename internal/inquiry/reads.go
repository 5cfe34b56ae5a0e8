package inquiry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// Where clinical answers what it recorded of reads.
const (
	usagePath = "/internal/reads/usage/"
	readsPath = "/internal/reads/list/"
)

// usageQuestion asks how often a member's data was read.
type usageQuestion struct {
	Member loop.MemberID
	Since  time.Time
}

// readsQuestion asks for the reads of a member's data.
type readsQuestion struct {
	Member loop.MemberID
	Client loop.ClientID
	After  connection.ReadPlace
	AtMost int
}

// ReadsClient asks clinical what it recorded of reads (connection.Reads). It is safe
// for concurrent use.
type ReadsClient struct{ asker }

// NewReadsClient makes a client of the clinical host at an address.
func NewReadsClient(clinical *url.URL, client *http.Client, w loop.World, ring *credential.Ring) *ReadsClient {
	return &ReadsClient{asker{clinical, client, w, newProof(ring)}}
}

// Usage counts a member's reads (connection.Reads).
func (c *ReadsClient) Usage(ctx context.Context, member loop.MemberID, since time.Time) (usage map[loop.ClientID]connection.Usage, err error) {
	err = c.askAbout(ctx, usagePath, usageQuestion{member, since}, &usage)
	return usage, err
}

// ListReads gives a member's reads, newest first (connection.Reads).
func (c *ReadsClient) ListReads(ctx context.Context, member loop.MemberID, client loop.ClientID, after connection.ReadPlace, atMost int) (reads []connection.Read, err error) {
	err = c.askAbout(ctx, readsPath, readsQuestion{member, client, after, atMost}, &reads)
	return reads, err
}

// askAbout asks a question of several parts. They are in the path, which the proof
// covers.
func (a *asker) askAbout(ctx context.Context, path string, question, answer any) error {
	text, err := json.Marshal(question)
	if err != nil {
		return err
	}
	return a.ask(ctx, path, base64.RawURLEncoding.EncodeToString(text), answer)
}

// ReadsServer answers what clinical recorded of reads, on clinical's host.
type ReadsServer struct {
	answerer
	reads connection.Reads
}

// NewReadsServer makes a server that answers whoever has the ring.
func NewReadsServer(reads connection.Reads, w loop.World, ring *credential.Ring) *ReadsServer {
	return &ReadsServer{answerer{w, newProof(ring)}, reads}
}

// Mount adds the server's routes to clinical's site.
func (s *ReadsServer) Mount(site *web.Site) {
	site.API("GET "+usagePath+"{question}", s.proven(answered(s.usage)))
	site.API("GET "+readsPath+"{question}", s.proven(answered(s.list)))
}

func (s *ReadsServer) usage(ctx context.Context, q usageQuestion) (map[loop.ClientID]connection.Usage, error) {
	return s.reads.Usage(ctx, q.Member, q.Since)
}

func (s *ReadsServer) list(ctx context.Context, q readsQuestion) ([]connection.Read, error) {
	return s.reads.ListReads(ctx, q.Member, q.Client, q.After, q.AtMost)
}

// answered reads the parts of a question that was proven, and writes the answer to it.
func answered[Q, A any](answer func(ctx context.Context, q Q) (A, error)) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var q Q
		text, err := base64.RawURLEncoding.DecodeString(r.PathValue("question"))
		if err != nil || json.Unmarshal(text, &q) != nil {
			return web.NotFound()
		}
		found, err := answer(r.Context(), q)
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, found)
	}
}
