package clinical_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/clinical"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/sqlite"
	"github.com/loop-health/loop/internal/web"
)

const (
	anna = loop.MemberID("user_01KAXYZ0000000000000000000")
	ben  = loop.MemberID("user_01KAXYZ0000000000000000001")

	writers    = "lph_at_writer"  // of another app, which may add and not read
	annasToken = "lph_at_anna"    // all that is needed
	bensToken  = "lph_at_ben"     // of another member
	narrow     = "lph_at_narrow"  // Anna's, without read:biomarkers
	manager    = "lph_at_manager" // Anna's, for her connected apps alone
)

var now = time.Date(2026, 3, 10, 11, 0, 0, 0, time.UTC)

// stillWorld has a clock that stands, and real randomness.
type stillWorld struct{ loop.Machine }

func (stillWorld) Now() time.Time { return now }

// identity stands for the host that issues tokens and knows members.
type identity struct {
	tokens map[string]oauth.AccessToken
	sexes  map[loop.MemberID]loop.Sex
	born   map[loop.MemberID]time.Time
	names  map[loop.ClientID]string // of apps

	deleted map[loop.ClientID]bool
}

func (i identity) NewNonce() string { return "nonce" }

func (identity) Accept(oauth.Admitted) error { return nil }

func (i identity) Admit(presented oauth.Presented) (oauth.Admitted, error) {
	token, ok := i.tokens[presented.Token]
	if !ok {
		return oauth.Admitted{}, loop.Errorf(loop.InvalidToken, "The access token is not valid.")
	}
	return oauth.Admitted{AccessToken: token}, nil
}

func (i identity) Person(_ context.Context, id loop.MemberID) (biomarker.Person, error) {
	sex, ok := i.sexes[id]
	if !ok {
		return biomarker.Person{}, errors.New("identity cannot be reached")
	}
	return biomarker.Person{Sex: sex, BornOn: i.born[id]}, nil
}

func (i identity) Name(_ context.Context, id loop.MemberID) (string, error) {
	if _, ok := i.sexes[id]; !ok {
		return "", errors.New("identity cannot be reached")
	}
	return map[loop.MemberID]string{anna: "Anna", ben: "Ben"}[id], nil
}

func (i identity) Client(_ context.Context, id loop.ClientID) (*loop.Client, error) {
	if i.deleted[id] {
		return nil, loop.ErrNotFound
	}
	return &loop.Client{ID: id, Name: i.names[id], Type: loop.Confidential}, nil
}

// host is a running clinical host on a database of its own.
type host struct {
	http.Handler
	site      *web.Site
	identity  identity
	database  *sqlite.Database
	records   *records
	catalogue *biomarker.Catalogue
	importer  *biomarker.Importer
	reader    *biomarker.Reader
	log       *bytes.Buffer
}

// records is the store, which can be made to fail.
type records struct {
	*sqlite.Clinical
	fail error
}

func (r *records) RecordRead(ctx context.Context, rec audit.Record) error {
	if r.fail != nil {
		return r.fail
	}
	return r.Clinical.RecordRead(ctx, rec)
}

func (r *records) ListReads(ctx context.Context, member loop.MemberID, client loop.ClientID, after connection.ReadPlace, atMost int) ([]connection.Read, error) {
	if r.fail != nil {
		return nil, r.fail
	}
	return r.Clinical.ListReads(ctx, member, client, after, atMost)
}

func (r *records) RecordRefusal(ctx context.Context, refusal audit.Refusal) error {
	if r.fail != nil {
		return r.fail
	}
	return r.Clinical.RecordRefusal(ctx, refusal)
}

func newHost(t *testing.T) *host {
	t.Helper()
	catalogue, err := biomarker.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	h := &host{catalogue: catalogue, log: new(bytes.Buffer)}
	log := slog.New(slog.NewJSONHandler(h.log, nil))
	h.database = openDatabase(t, log)
	store := sqlite.NewClinical(h.database, openMemberKeys(t, log))
	h.records = &records{Clinical: store}
	h.importer = &biomarker.Importer{Catalogue: catalogue, Inbox: store, World: stillWorld{}}

	h.reader = &biomarker.Reader{Catalogue: catalogue, Results: store, Cursors: credentialtest.NewTagger(t)}

	full := loop.NewScopes(loop.ScopeOpenID, loop.ScopeReadDemographics, loop.ScopeReadBiomarkers)
	h.identity = identity{
		tokens: map[string]oauth.AccessToken{
			annasToken: {Member: anna, Client: "client_A", Grant: "grant_A", Chain: "chain_A", Scopes: full},
			bensToken:  {Member: ben, Client: "client_A", Grant: "grant_B", Chain: "chain_B", Scopes: full},
			writers:    {Member: anna, Client: "client_B", Grant: "grant_C", Chain: "chain_D", Scopes: loop.NewScopes(loop.ScopeOpenID, loop.ScopeWriteBiomarkers)},
			manager:    {Member: anna, Client: "client_A", Grant: "grant_A", Chain: "chain_E", Scopes: loop.NewScopes(loop.ScopeOpenID, loop.ScopeManageConnectedApps)},
			narrow:     {Member: anna, Client: "client_A", Grant: "grant_A", Chain: "chain_C", Scopes: loop.NewScopes(loop.ScopeOpenID)},
		},
		sexes: map[loop.MemberID]loop.Sex{anna: loop.Female, ben: loop.Male},
		born:  map[loop.MemberID]time.Time{},
		names: map[loop.ClientID]string{"client_A": "Budget"}, deleted: map[loop.ClientID]bool{},
	}
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	site := web.NewSite(web.Config{
		PublicURL:  &url.URL{Scheme: "https", Host: "clinical.platform.loop.health"},
		Developers: &url.URL{Scheme: "https", Host: "developers.platform.loop.health"},
		World:      stillWorld{}, Log: log,
	})
	clinical.New(clinical.Config{
		Importer:   h.importer,
		Imports:    &intake.Keeper{Catalogue: catalogue, Archive: store, Asides: store, Members: everybody{}, World: stillWorld{}},
		Biomarkers: h.reader,
		Texts:      texts,
		Tokens:     h.identity, Members: h.identity, Clients: h.identity, Records: h.records, Reads: h.records, World: stillWorld{},
		SMART: oauth.Endpoints{Issuer: "https://identity.platform.loop.health"}.SMARTConfiguration(false, "https://identity.platform.loop.health/account/apps"),
		Metadata: oauth.ResourceMetadata{
			Resource: "https://clinical.platform.loop.health", AuthorizationServers: []string{"https://identity.platform.loop.health"}, ScopesSupported: []string{string(loop.ScopeReadBiomarkers)}, ProofAlgorithms: []string{"ES256"},
		},
	}).Mount(site)
	h.site, h.Handler = site, site.Handler()
	return h
}

// everybody is a member.
type everybody struct{}

func (everybody) Exists(context.Context, loop.MemberID) (bool, error) { return true, nil }

func openDatabase(t *testing.T, log *slog.Logger) *sqlite.Database {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "clinical.db"), sqlite.ClinicalSchema(), stillWorld{}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.StartAudit(t.Context(), "clinical", audit.NewKeys([32]byte{1}, [32]byte{2})); err != nil {
		t.Fatal(err)
	}
	return db
}

func openMemberKeys(t *testing.T, log *slog.Logger) *credential.MemberKeys {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "memberkeys.db"), sqlite.MemberKeysSchema(), stillWorld{}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return credentialtest.OpenMemberKeys(t, sqlite.NewMemberKeys(db), stillWorld{})
}

// recorded lists the audit records of an event that are durable.
func (h *host) recorded(t *testing.T, event audit.Event) []audit.Row {
	t.Helper()
	var rows []audit.Row
	err := h.database.EachRow(t.Context(), "clinical", func(row audit.Row) error {
		if row.Event == event {
			rows = append(rows, row)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (h *host) add(t *testing.T, member loop.MemberID, results ...biomarker.Result) {
	t.Helper()
	if err := h.importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, member, results); err != nil {
		t.Fatal(err)
	}
}

func (h *host) addHistory(t *testing.T, member loop.MemberID) int {
	t.Helper()
	history, err := h.catalogue.Synthetic(member, h.identity.sexes[member], now)
	if err != nil {
		t.Fatal(err)
	}
	h.add(t, member, history...)
	return len(history)
}

// send sends a request for the path with the token, if there is one.
func (h *host) send(method, path, token string, headers ...http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://clinical.platform.loop.health"+path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, header := range headers {
		for name, values := range header {
			r.Header[name] = values
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// answer sends a request with a body of JSON, if there is one.
func (h *host) answer(method, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(strings.ToUpper(method), "https://clinical.platform.loop.health"+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// collected is a time or a date.
type collected struct{ time.Time }

func (c *collected) UnmarshalJSON(quoted []byte) (err error) {
	text, layout := string(bytes.Trim(quoted, `"`)), time.RFC3339
	if len(text) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	c.Time, err = time.Parse(layout, text)
	return err
}

// answer is what a test reads of an answer.
type answer struct {
	Biomarkers []struct {
		ID        loop.ResultID    `json:"id"`
		PatientID loop.MemberID    `json:"patient_id"`
		Code      biomarker.Code   `json:"biomarker_code"`
		Category  string           `json:"category"`
		Value     json.Number      `json:"value"`
		Status    biomarker.Status `json:"status"`
		Collected collected        `json:"collected_at"`
	} `json:"biomarkers"`
	Count      int     `json:"count"`
	NextCursor *string `json:"next_cursor"`

	Error     loop.Code `json:"error"`
	ErrorText string    `json:"error_description"`
	ErrorURI  string    `json:"error_uri"`
	RequestID string    `json:"request_id"`
	Field     string    `json:"field"`
}

func read(t *testing.T, w *httptest.ResponseRecorder) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("the answer %q: %v", w.Body, err)
	}
	return a
}
