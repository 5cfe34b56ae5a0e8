package test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/pagetest"
)

// fault is a JSON error of any role.
type fault struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
	RequestID   string `json:"request_id"`
}

func TestBadInputIsAClearErrorAndChangesNothing(t *testing.T) {
	p := startPlatform(t, "--no-quickstart")
	v := p.visitor(t)
	proof := pagetest.Verifier()
	good := v.redeem(t, v.code(t, proof), proof)
	before := p.rows(t)

	token := p.env["LOOP_IDENTITY_URL"] + "/v1/oauth/token"
	results := p.env["LOOP_CLINICAL_URL"] + "/v1/biomarkers/me"
	summary := results + "/summary"
	refresh := url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {good.Refresh},
		"client_id": {p.env["LOOP_CLIENT_ID"]}, "client_secret": {p.env["LOOP_CLIENT_SECRET"]},
	}.Encode()
	form := "application/x-www-form-urlencoded"
	pages := make(map[string]bool)

	for name, bad := range map[string]struct {
		method, address, contentType, body string
		status                             int
		code                               string
	}{
		"a body of two megabytes":           {"POST", token, form, refresh + "&x=" + strings.Repeat("a", 2<<20), 413, "payload_too_large"},
		"an address of 100 kB":              {"GET", results + "?code=" + strings.Repeat("a", 100<<10), "", "", 414, "uri_too_long"},
		"a parameter sent twice":            {"POST", token, form, refresh + "&grant_type=refresh_token", 400, "invalid_request"},
		"the refresh token sent twice":      {"POST", token, form, refresh + "&refresh_token=x", 400, "invalid_request"},
		"a parameter that is not UTF-8":     {"POST", token, form, refresh + "&scope=%ff%fe", 400, "invalid_request"},
		"a NUL byte":                        {"POST", token, form, refresh + "&scope=openid%00", 400, "invalid_request"},
		"an escape that is none":            {"POST", token, form, refresh + "&scope=%zz", 400, "invalid_request"},
		"no content type":                   {"POST", token, "", refresh, 400, "invalid_request"},
		"JSON where a form belongs":         {"POST", token, "application/json", `{"grant_type":"refresh_token"}`, 400, "invalid_request"},
		"a method that the address has not": {"GET", token, "", "", 405, "method_not_allowed"},
		"a write where one reads":           {"POST", summary, form, "x=1", 405, "method_not_allowed"},
		"an address that is not there":      {"GET", p.env["LOOP_CLINICAL_URL"] + "/v1/nothing", "", "", 404, "not_found"},
		"a grant type that is not served":   {"POST", token, form, strings.Replace(refresh, "grant_type=refresh_token", "grant_type=password", 1), 400, "unsupported_grant_type"},
		"a made-up code": {
			"POST", token, form,
			strings.Replace(refresh, "grant_type=refresh_token", "grant_type=authorization_code&code=lph_ac_x&redirect_uri=x&code_verifier="+proof, 1), 400, "invalid_grant",
		},
		"a wrong secret":       {"POST", token, form, strings.Replace(refresh, "client_secret=secret_", "client_secret=secret_x", 1), 401, "invalid_client"},
		"a client unknown":     {"POST", token, form, strings.Replace(refresh, "client_id=client_", "client_id=client_x", 1), 401, "invalid_client"},
		"10,000 scopes":        {"POST", token, form, refresh + "&scope=" + url.QueryEscape(strings.Repeat("read:biomarkers ", 10000)), 0, ""},
		"no token":             {"GET", results, "", "", 401, "unauthenticated"},
		"a token in the query": {"GET", results + "?access_token=" + good.Access, "", "", 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), bad.method, bad.address, strings.NewReader(bad.body))
			if err != nil {
				t.Fatal(err)
			}
			if bad.contentType != "" {
				r.Header.Set("Content-Type", bad.contentType)
			}
			answered := v.do(t, r)
			var said fault
			if err := json.Unmarshal(answered.body, &said); err != nil {
				t.Fatalf("status %d and no JSON: %.300s", answered.StatusCode, answered.body)
			}
			if bad.status != 0 && answered.StatusCode != bad.status || answered.StatusCode < 400 || answered.StatusCode >= 500 {
				t.Errorf("status %d, want %d", answered.StatusCode, bad.status)
			}
			if bad.code != "" && said.Code != bad.code {
				t.Errorf("error %q (%s), want %q", said.Code, said.Description, bad.code)
			}
			if said.Description == "" || said.RequestID != answered.Header.Get("X-Request-Id") {
				t.Errorf("the error says %q, request id %q", said.Description, said.RequestID)
			}
			if answered.StatusCode == 405 && answered.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			pages[said.URI] = true
		})
	}

	t.Run("CR and LF in every parameter of authorize make no header", func(t *testing.T) {
		for name := range p.authorization(proof) {
			request := p.authorization(proof)
			request.Set(name, request.Get(name)+"\r\nX-Injected: yes")
			answered := v.get(t, p.env["LOOP_IDENTITY_URL"]+"/v1/oauth/authorize?"+request.Encode())
			if answered.Header.Get("X-Injected") != "" || answered.StatusCode >= 500 {
				t.Errorf("%s: status %d, headers %v", name, answered.StatusCode, answered.Header)
			}
			if answered.StatusCode < 300 {
				t.Errorf("%s: the request is accepted with status %d", name, answered.StatusCode)
			}
		}
	})

	t.Run("headers of 200 kB are refused", func(t *testing.T) {
		answered := v.get(t, results, "X-Large", strings.Repeat("a", 200<<10))
		if answered.StatusCode != 431 {
			t.Errorf("status %d, want 431", answered.StatusCode)
		}
	})

	t.Run("requests that stop half-way leave the platform well", func(t *testing.T) {
		for _, part := range []string{"", "P", "POST /v1/oauth/token HTTP/1.1\r\nHos", "POST /v1/oauth/token HTTP/1.1\r\nHost: " + hostOf(t, token) +
			"\r\nContent-Type: " + form + "\r\nContent-Length: 1000\r\n\r\n" + refresh} {
			if said := sendPart(t, hostOf(t, token), part); strings.Contains(said, "access_token") {
				t.Errorf("half a request is answered: %s", said)
			}
		}
	})

	if after := p.rows(t); after != before {
		t.Errorf("the platform's records changed:\nbefore %s\nafter  %s", before, after)
	}
	if still := v.refresh(t, good.Refresh); still.status != http.StatusOK {
		t.Errorf("after all of that the refresh token is answered with %d %s", still.status, still.Error)
	}
	for address := range pages {
		if explained := v.get(t, address); explained.StatusCode != http.StatusOK {
			t.Errorf("the error's page %s is answered with %d", address, explained.StatusCode)
		}
	}
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host
}

// sendPart sends the beginning of a request, ends it there, and gives what comes
// back.
func sendPart(t *testing.T, host, part string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(part)); err != nil {
		t.Fatal(err)
	}
	if half, ok := conn.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
	said, _ := io.ReadAll(bufio.NewReader(conn)) // a reset is an answer too
	return string(said)
}

// rows counts what a bad request could have made, changed or ended.
func (p *platform) rows(t *testing.T) string {
	t.Helper()
	var all string
	db := open(t, filepath.Join(p.folder, ".loop", "identity.db"))
	err := db.QueryRowContext(t.Context(), `SELECT json_object(
		'clients', (SELECT count(*) FROM clients), 'members', (SELECT count(*) FROM members), 'sessions', (SELECT count(*) FROM sessions),
		'grants', (SELECT json_group_array(id || scopes || revoked_at) FROM grants),
		'chains', (SELECT json_group_array(id || generation || ' ' || ended_at) FROM chains),
		'revocations', (SELECT count(*) FROM revocations), 'audit', (SELECT count(*) FROM audit_records))`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
