package clinical_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

func TestRequestsWithoutAGoodTokenAreRefused(t *testing.T) {
	h := newHost(t)
	h.addHistory(t, anna)
	authorization := func(values ...string) http.Header { return http.Header{"Authorization": values} }
	for name, test := range map[string]struct {
		path      string
		header    http.Header
		status    int
		code      loop.Code
		challenge string
	}{
		"RFC 6750 §3.1 no token: no error in the challenge": {
			status: 401, code: loop.Unauthenticated, challenge: `Bearer realm="Loop", scope="read:biomarkers"`,
		},
		"another scheme": {
			header: authorization("Basic YTpi"), status: 401, code: loop.Unauthenticated, challenge: `Bearer realm="Loop", scope="read:biomarkers"`,
		},
		"Sec098 a cookie": {
			header: http.Header{"Cookie": {"access_token=" + annasToken}}, status: 401, code: loop.Unauthenticated, challenge: `Bearer realm="Loop", scope="read:biomarkers"`,
		},
		"Sec099 a token that was never issued": {
			header: authorization("Bearer lph_at_unknown"), status: 401, code: loop.InvalidToken, challenge: `Bearer realm="Loop", error="invalid_token", scope="read:biomarkers"`,
		},
		"Sec099 a refresh token": {
			header: authorization("Bearer lph_rt_x"), status: 401, code: loop.InvalidToken, challenge: `Bearer realm="Loop", error="invalid_token", scope="read:biomarkers"`,
		},
		"Sec103 a token without the scope": {
			header: authorization("Bearer " + narrow), status: 403, code: loop.InsufficientScope,
			challenge: `Bearer realm="Loop", error="insufficient_scope", scope="read:biomarkers"`,
		},
		"Sec098 two headers": {
			header: authorization("Bearer "+annasToken, "Bearer "+annasToken), status: 400, code: loop.InvalidRequest, challenge: `Bearer realm="Loop", error="invalid_request"`,
		},
		"Sec098 two spaces": {
			header: authorization("Bearer  " + annasToken), status: 400, code: loop.InvalidRequest, challenge: `Bearer realm="Loop", error="invalid_request"`,
		},
		"Sec098 the token in the address": {
			path: me + "?access_token=" + annasToken, status: 400, code: loop.InvalidRequest, challenge: `Bearer realm="Loop", error="invalid_request"`,
		},
		"Sec098 the token in the address too": {
			path: me + "?access_token=" + annasToken, header: authorization("Bearer " + annasToken),
			status: 400, code: loop.InvalidRequest, challenge: `Bearer realm="Loop", error="invalid_request"`,
		},
		"the token is judged before the parameters": {
			path: me + "?limit=x", status: 401, code: loop.Unauthenticated, challenge: `Bearer realm="Loop", scope="read:biomarkers"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := test.path
			if path == "" {
				path = me
			}
			w := h.send(http.MethodGet, path, "", test.header)
			a := read(t, w)
			if w.Code != test.status || a.Error != test.code || a.Biomarkers != nil {
				t.Errorf("the answer is %d %s", w.Code, w.Body)
			}
			challenges := []string{test.challenge + `, resource_metadata="https://clinical.platform.loop.health/.well-known/oauth-protected-resource"`}
			if test.code == loop.Unauthenticated || test.code == loop.InvalidToken {
				challenges = append(challenges, `DPoP realm="Loop", algs="PS256 ES256 EdDSA"`)
			}
			if diff := cmp.Diff(challenges, w.Header().Values("WWW-Authenticate")); diff != "" {
				t.Error(diff)
			}
			if w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), annasToken) {
				t.Errorf("the answer is %v %s", w.Header(), w.Body)
			}
		})
	}
	if reads := h.recorded(t, audit.BiomarkersRead); len(reads) != 0 {
		t.Errorf("%d refusals are recorded as reads", len(reads))
	}
}

func TestSec098_SchemeInLowerCaseWorks(t *testing.T) {
	h := newHost(t)
	if w := h.send(http.MethodGet, me, "", http.Header{"Authorization": {"bearer " + annasToken}}); w.Code != http.StatusOK {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
}

func TestGenuineTokenWithoutTheScopeIsCounted(t *testing.T) {
	h := newHost(t)
	for range 3 {
		h.send(http.MethodGet, me, narrow)
		h.send(http.MethodGet, me, "lph_at_unknown")
	}
	if err := h.database.RecordTallies(t.Context(), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	refusals := h.recorded(t, audit.CredentialRefused)
	if len(refusals) != 1 {
		t.Fatalf("%d records of refusals", len(refusals))
	}
	want := audit.Row{
		At: now.Add(time.Hour).UnixMicro(), Event: audit.CredentialRefused, ActorKind: audit.BySystem,
		Member: string(anna), Client: "client_A", Grant: "grant_A",
		Detail: `{"count":"3","hour":"2026-03-10T11:00:00Z","reason":"insufficient_scope","subject":"chain_C"}`,
	}
	if diff := cmp.Diff(want, refusals[0], cmpopts.IgnoreFields(audit.Row{}, "Lane", "Number", "Previous", "Hash")); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestOtherAddressesAndMethods(t *testing.T) {
	h := newHost(t)
	for _, path := range []string{"/", "/v1", "/v1/biomarkers", "/v1/biomarkers/me/", "/v1/biomarkers/me/bmk_01KAXYZ0000000000000000000", "/v1/biomarkers/me.css", "/v1/Biomarkers/me", "//v1/biomarkers/me", "/v1/biomarkers/../biomarkers/me"} {
		if w := h.send(http.MethodGet, path, annasToken); w.Code != http.StatusNotFound || read(t, w).Error != loop.NotFound {
			t.Errorf("%s is answered %d %s", path, w.Code, w.Body)
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodTrace} {
		w := h.send(method, me, annasToken)
		if w.Code != http.StatusMethodNotAllowed || read(t, w).Error != loop.MethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s is answered %d %v %s", method, w.Code, w.Header(), w.Body)
		}
	}
}
