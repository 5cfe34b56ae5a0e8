package console_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const usersAPI, auditAPI = identity + "/v1/admin/users", identity + "/v1/admin/audit-log"

// addService registers a service of Loop's with scopes of the admin API.
func addService(t *testing.T, p *platformtest.Platform, scopes ...string) *platformtest.App {
	t.Helper()
	return p.AddApp(t, func(c *loop.Client) {
		c.Name, c.FirstParty, c.RedirectURIs, c.AllowedScopes = "Help desk", true, nil, nil
		c.Protocol.GrantTypes, c.Protocol.ServiceScopes = []loop.GrantType{loop.GrantClientCredentials}, scopes
	})
}

// serviceToken is a token of a service, with all that it may have.
func serviceToken(t *testing.T, service *platformtest.App) string {
	t.Helper()
	return service.Token(url.Values{"grant_type": {"client_credentials"}}).Pair(t).Access
}

func bearer(token string) http.Header {
	if token == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}

func keys[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// Sec485: each address of the admin API, for each kind of caller.
func TestSec485_TheAdminAPIOpensForServicesWithItsScopeAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app := p.AddApp(t, nil)
	b := p.NewBrowser(t)
	member := app.Redeem(app.Code(b, p.AddMember(t, "Bob"))).Pair(t).Access
	user := usersAPI + "/" + string(ada.ID)
	tokens := map[string]string{ // by what they are for
		"": "", "member": member, "made up": "lph_at_" + strings.Repeat("A", 60),
	}
	for _, scope := range loop.AdminScopes() {
		tokens[scope] = serviceToken(t, addService(t, p, scope))
	}
	ended := addService(t, p, loop.AdminScopes()...)
	tokens["disabled"] = serviceToken(t, ended)
	if err := p.Run(t, "client", "disable", string(ended.ID)); err != nil {
		t.Fatal(err)
	}
	for _, address := range []struct{ method, address, scope string }{
		{http.MethodGet, usersAPI + "?q=" + string(ada.ID), loop.AdminUsers},
		{http.MethodGet, user, loop.AdminUsers},
		{http.MethodPost, user + "/suspend", loop.AdminSuspendUsers},
		{http.MethodPost, user + "/resume", loop.AdminSuspendUsers},
		{http.MethodGet, auditAPI, loop.AdminAuditLog},
	} {
		for _, kind := range append(loop.AdminScopes(), "", "member", "made up", "disabled") {
			r := p.Fetch(t, address.method, address.address, bearer(tokens[kind]))
			status, code := http.StatusForbidden, "insufficient_scope"
			switch kind {
			case address.scope:
				status, code = http.StatusOK, ""
			case "":
				status, code = http.StatusUnauthorized, "unauthenticated"
			case "made up", "disabled":
				status, code = http.StatusUnauthorized, "invalid_token"
			}
			got, _ := r.JSON(t)["error"].(string)
			if r.StatusCode != status || got != code {
				t.Errorf("%s %s with %q: %d %s, want %d %s", address.method, address.address, kind, r.StatusCode, r.Text, status, code)
			}
			if challenge := r.Header.Get("WWW-Authenticate"); code == "insufficient_scope" && !strings.Contains(challenge, `scope="`+address.scope+`"`) {
				t.Errorf("%s with %q: the challenge is %q", address.address, kind, challenge)
			}
			if r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s with %q: a cache may keep it", address.address, kind)
			}
		}
	}
}

// Sec486: nobody gets such a token whom an operator did not choose for it.
func TestSec486_OnlyServicesOfLoopsOwnGetTokensOfTheAdminAPI(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	hedy := p.AddMember(t, "Hedy")
	service := func(more ...string) []string {
		return append([]string{"client", "create", "--type", "confidential", "--name", "Desk", "--grant-type", "client_credentials", "--service-scope", loop.AdminUsers}, more...)
	}
	for name, args := range map[string][]string{
		"a partner's": service(), "one with an owner": service("--first-party", "--owner", string(hedy.ID)),
	} {
		if err := p.Run(t, args...); err == nil || !strings.Contains(err.Error(), "admin API") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.Run(t, service("--first-party")...); err != nil {
		t.Errorf("a service of Loop's: %v", err)
	}
	desk := addService(t, p, loop.AdminUsers)
	if err := p.Run(t, "client", "update", string(desk.ID), "--no-first-party"); err == nil {
		t.Error("it is no longer Loop's, and keeps its scope")
	}
	for name, c := range map[string]struct {
		form url.Values
		code string
	}{
		"a scope that it is not registered for": {url.Values{"scope": {loop.AdminAuditLog}}, "invalid_scope"},
		"a member's scope":                      {url.Values{"scope": {"read:biomarkers"}}, "invalid_scope"},
		"for clinical":                          {url.Values{"scope": {loop.AdminUsers}, "resource": {platformtest.Clinical}}, "invalid_target"},
	} {
		c.form.Set("grant_type", "client_credentials")
		if r := desk.Token(c.form); r.StatusCode != http.StatusBadRequest || r.JSON(t)["error"] != c.code {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Text)
		}
	}
	named := desk.Token(url.Values{"grant_type": {"client_credentials"}, "resource": {identity}}).JSON(t)
	if named["scope"] != loop.AdminUsers || named["refresh_token"] != nil {
		t.Errorf("for identity by its name: %v", named)
	}
	token := serviceToken(t, desk)
	if p.UserInfo(t, token).StatusCode != http.StatusForbidden || p.Biomarkers(t, token).StatusCode != http.StatusUnauthorized {
		t.Error("the token opens something of a member's")
	}
	app := p.AddApp(t, nil)
	request := app.Request()
	request.Set("scope", "openid "+loop.AdminUsers)
	if to := p.NewBrowser(t).Authorize(request).Redirected(t); to.Query().Get("error") != "invalid_scope" {
		t.Errorf("a member is asked for it: %s", to)
	}
	if err := p.Run(t, "client", "update", string(desk.ID), "--service-scope", loop.AdminAuditLog); err != nil {
		t.Fatal(err)
	}
	if r := p.Fetch(t, http.MethodGet, usersAPI+"?q="+string(hedy.ID), bearer(token)); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token with a scope that was taken away: %d %s", r.StatusCode, r.Text)
	}
}

func TestSec487_EveryViewAndActOfAServiceIsInTheRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	service := addService(t, d.Platform, loop.AdminScopes()...)
	token := serviceToken(t, service)
	user := usersAPI + "/" + string(d.ada.ID)
	whose := "user=" + string(d.ada.ID)
	for _, c := range []struct {
		method, address, event string
		want                   []string
	}{
		{http.MethodGet, usersAPI + "?q=" + url.QueryEscape(string(d.ada.Email)), "operator.viewed", []string{`page="users"`, whose}},
		{http.MethodGet, user, "operator.viewed", []string{`page="user"`, whose}},
		{http.MethodGet, auditAPI + "?entity_type=client&entity_id=" + string(d.app.ID), "operator.viewed", []string{`page="audit-log"`, "client=" + string(d.app.ID)}},
		{http.MethodGet, usersAPI + "?q=nobody@example.com", "operator.viewed", []string{`page="users"`}},
		{http.MethodPost, user + "/suspend", "member.suspended", []string{whose}},
		{http.MethodPost, user + "/resume", "member.resumed", []string{whose}},
	} {
		d.World.Advance(time.Second) // as in Sec483
		if r := d.Fetch(t, c.method, c.address, bearer(token)); r.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d %s", c.method, c.address, r.StatusCode, r.Text)
		}
		record := d.tail(t, "--event", c.event)
		for _, part := range append(c.want, "by client "+string(service.ID), "from=") {
			if !strings.Contains(record, part) {
				t.Errorf("%s %s: the record lacks %s: %s", c.method, c.address, part, record)
			}
		}
	}
}

func TestSec488_TheAdminAPISaysNothingOfHealth(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := serviceToken(t, addService(t, d.Platform, loop.AdminScopes()...))
	member := d.app.Redeem(d.app.Code(d.NewBrowser(t), d.ada)).Pair(t).Access
	if r := d.Biomarkers(t, member); r.StatusCode != http.StatusOK {
		t.Fatalf("a read: %d %s", r.StatusCode, r.Text)
	}
	user := d.Fetch(t, http.MethodGet, usersAPI+"/"+string(d.ada.ID), bearer(token))
	fields := []string{"created_at", "email", "email_verified", "erased_at", "erases_at", "grants", "locale", "name", "suspended", "test", "user_id"}
	if got := keys(user.JSON(t)); !slices.Equal(got, fields) {
		t.Errorf("a user has the fields %v", got)
	}
	var page struct {
		Rows []struct {
			Event  string            `json:"event_type"`
			Detail map[string]string `json:"detail"`
		} `json:"rows"`
	}
	r := d.Fetch(t, http.MethodGet, auditAPI+"?event_type=biomarkers.read", bearer(token))
	decode(t, r.Text, &page)
	if len(page.Rows) != 1 || !slices.Equal(keys(page.Rows[0].Detail), []string{"count"}) {
		t.Errorf("the record of a read says %s", r.Text)
	}
}

func TestAPI_AUserIsFoundByIDOrAddressAndNobodyIsListed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := serviceToken(t, addService(t, d.Platform, loop.AdminUsers))
	for name, c := range map[string]struct {
		query  string
		status int
		found  int
		field  string
	}{
		"by id":                        {"?q=" + string(d.ada.ID), 200, 1, ""},
		"by address":                   {"?q=" + url.QueryEscape(string(d.ada.Email)), 200, 1, ""},
		"an id of nobody":              {"?q=user_01KBZ0000000000000000000ZZ", 200, 0, ""},
		"an address of nobody":         {"?q=nobody@example.com", 200, 0, ""},
		"without a search":             {"", 400, 0, "q"},
		"with an empty one":            {"?q=", 400, 0, "q"},
		"a name":                       {"?q=Ada", 400, 0, "q"},
		"two":                          {"?q=a@example.com&q=b@example.com", 400, 0, "q"},
		"a parameter that there isn't": {"?q=a@example.com&page=2", 400, 0, ""},
		"a query that is malformed":    {"?q=%zz", 400, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := d.Fetch(t, http.MethodGet, usersAPI+c.query, bearer(token))
			var answer struct {
				Rows  []map[string]any `json:"rows"`
				Total int              `json:"total"`
				Error string           `json:"error"`
				Field string           `json:"field"`
			}
			decode(t, r.Text, &answer)
			if r.StatusCode != c.status || len(answer.Rows) != c.found || answer.Total != c.found || answer.Field != c.field {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
			if c.status == http.StatusOK && answer.Rows == nil || c.status != http.StatusOK && answer.Error != "validation_error" {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
			if c.found == 1 && answer.Rows[0]["user_id"] != string(d.ada.ID) {
				t.Errorf("found %v", answer.Rows[0])
			}
		})
	}
	one := d.Fetch(t, http.MethodGet, usersAPI+"/"+string(d.ada.ID), bearer(token)).JSON(t)
	if grants, _ := one["grants"].([]any); len(grants) != 1 || one["email"] != string(d.ada.Email) || one["suspended"] != false {
		t.Errorf("one user: %v", one)
	}
}

func TestAPI_SuspensionEndsTokensAndComesTwiceWithoutHarm(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := serviceToken(t, addService(t, d.Platform, loop.AdminSuspendUsers))
	member := d.app.Redeem(d.app.Code(d.NewBrowser(t), d.ada)).Pair(t).Access
	user := usersAPI + "/" + string(d.ada.ID)
	for _, step := range []struct {
		act       string
		suspended bool
	}{{"suspend", true}, {"suspend", true}, {"resume", false}, {"resume", false}} {
		r := d.Fetch(t, http.MethodPost, user+"/"+step.act, bearer(token))
		m, err := d.Accounts.Store.Member(t.Context(), d.ada.ID)
		if err != nil || r.StatusCode != http.StatusOK || m.Suspended != step.suspended || r.JSON(t)["suspended"] != step.suspended {
			t.Fatalf("%s: %d %s, %v", step.act, r.StatusCode, r.Text, err)
		}
	}
	if r := d.UserInfo(t, member); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token of before the suspension: %d", r.StatusCode)
	}
	if records, err := d.RunWith(t, "", "audit", "tail", "-n", "10", "--event", "member.suspended"); err != nil || strings.Count(records, "member.suspended") != 1 {
		t.Errorf("the record: %s %v", records, err)
	}
	for _, id := range []string{"user_01KBZ0000000000000000000ZZ", "ada", "%00"} {
		r := d.Fetch(t, http.MethodPost, usersAPI+"/"+id+"/suspend", bearer(token))
		if r.StatusCode != http.StatusNotFound || r.JSON(t)["error"] != "not_found" {
			t.Errorf("%s: %d %s", id, r.StatusCode, r.Text)
		}
	}
}

func TestAPI_TheAuditLogIsSearchedAndPaged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	service := addService(t, d.Platform, loop.AdminAuditLog)
	token := serviceToken(t, service)
	type page struct {
		Rows  []map[string]any `json:"rows"`
		Total int              `json:"total"`
	}
	search := func(t *testing.T, query url.Values) (found page) {
		t.Helper()
		r := d.Fetch(t, http.MethodGet, auditAPI+"?"+query.Encode(), bearer(token))
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", query.Encode(), r.StatusCode, r.Text)
		}
		decode(t, r.Text, &found)
		return found
	}
	d.World.Advance(time.Second)
	until := d.World.Now().Format(time.RFC3339Nano) // what follows is left out: the searches themselves
	for name, c := range map[string]struct {
		query url.Values
		total int
		field string
		want  string
	}{
		"by actor":         {url.Values{"actor_id": {"command line"}, "event_type": {"operator.added"}}, 2, "event_type", "operator.added"},
		"by event":         {url.Values{"event_type": {"operator"}}, 2, "event_type", "operator.added"},
		"by a user":        {url.Values{"entity_type": {"user"}, "entity_id": {string(d.grace.ID)}, "event_type": {"operator.added"}}, 1, "user_id", string(d.grace.ID)},
		"by an app":        {url.Values{"entity_type": {"client"}, "entity_id": {string(d.app.ID)}, "event_type": {"client.created"}}, 1, "client_id", string(d.app.ID)},
		"a grant of none":  {url.Values{"entity_type": {"grant"}, "entity_id": {"grant_01KBZ0000000000000000000ZZ"}}, 0, "", ""},
		"of another time":  {url.Values{"since": {"2124-01-01T00:00:00Z"}}, 0, "", ""},
		"before all":       {url.Values{"until": {"1999-01-01t00:00:00+01:00"}}, 0, "", ""},
		"behind all pages": {url.Values{"event_type": {"operator.added"}, "offset": {"9999"}}, 2, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if !c.query.Has("until") {
				c.query.Set("until", until)
			}
			found := search(t, c.query)
			if found.Total != c.total || found.Rows == nil {
				t.Errorf("%d in all: %v", found.Total, found.Rows)
			}
			for _, row := range found.Rows {
				if row[c.field] != c.want {
					t.Errorf("found %v", row)
				}
			}
		})
	}
	t.Run("in pages, newest first, without gap or repetition", func(t *testing.T) {
		whole := search(t, url.Values{"until": {until}, "limit": {"500"}})
		var paged []map[string]any
		for len(paged) < whole.Total {
			next := search(t, url.Values{"until": {until}, "limit": {"3"}, "offset": {strconv.Itoa(len(paged))}})
			if next.Total != whole.Total || len(next.Rows) == 0 {
				t.Fatalf("%d in all, then %d", whole.Total, next.Total)
			}
			paged = append(paged, next.Rows...)
		}
		a, _ := json.Marshal(whole.Rows)
		b, _ := json.Marshal(paged)
		if len(whole.Rows) != whole.Total || whole.Total < 5 || !bytes.Equal(a, b) {
			t.Errorf("%d of %d: %s\nin pages: %s", len(whole.Rows), whole.Total, a, b)
		}
	})
	for name, query := range map[string]string{
		"a limit of 0": "limit=0", "a limit too high": "limit=501", "no number": "limit=ten", "an offset below 0": "offset=-1", "an offset too high": "offset=10001",
		"a day": "since=2026-03-02", "no moment": "until=now", "a type alone": "entity_type=user", "an id alone": "entity_id=user_01KBZ0000000000000000000ZZ",
		"another type": "entity_type=lab&entity_id=lab_1", "a filter twice": "actor_id=a&actor_id=b", "a filter misspelt": "actor=a", "a NUL": "actor_id=%00", "a long text": "event_type=" + strings.Repeat("a", 101),
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			r := d.Fetch(t, http.MethodGet, auditAPI+"?"+query, bearer(token))
			if r.StatusCode != http.StatusBadRequest || r.JSON(t)["error"] != "validation_error" {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
		})
	}
}

func TestAPI_ErrorsHaveAMessageToo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	token := serviceToken(t, addService(t, p, loop.AdminScopes()...))
	for name, c := range map[string]struct{ method, address, token, code string }{
		"no token":            {http.MethodGet, usersAPI, "", "unauthenticated"},
		"a fault":             {http.MethodGet, usersAPI, token, "validation_error"},
		"nobody":              {http.MethodGet, usersAPI + "/user_01KBZ0000000000000000000ZZ", token, "not_found"},
		"no such address":     {http.MethodGet, identity + "/v1/admin/nothing", token, "not_found"},
		"a method of no kind": {http.MethodDelete, auditAPI, token, "method_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := p.Fetch(t, c.method, c.address, bearer(c.token)).JSON(t)
			for _, field := range []string{"error", "error_description", "error_uri", "request_id", "message"} {
				if text, _ := answer[field].(string); text == "" {
					t.Errorf("it lacks %s: %v", field, answer)
				}
			}
			if answer["error"] != c.code || answer["message"] != answer["error_description"] {
				t.Errorf("got %v", answer)
			}
		})
	}
}

func TestAPI_ServicesAreLimitedByClient(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	limited := addService(t, p, loop.AdminAuditLog)
	if err := p.Run(t, "client", "update", string(limited.ID), "--rate-limit", "read=2"); err != nil {
		t.Fatal(err)
	}
	token, other := serviceToken(t, limited), serviceToken(t, addService(t, p, loop.AdminAuditLog))
	for i, want := range []int{200, 200, 429} {
		if r := p.Fetch(t, http.MethodGet, auditAPI, bearer(token)); r.StatusCode != want {
			t.Errorf("request %d: %d %s", i+1, r.StatusCode, r.Text)
		}
	}
	if r := p.Fetch(t, http.MethodGet, auditAPI, bearer(other)); r.StatusCode != http.StatusOK {
		t.Errorf("another service: %d %s", r.StatusCode, r.Text)
	}
}
