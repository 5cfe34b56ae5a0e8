package requestlog_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/oauth/parameter"
	"github.com/loop-health/loop/internal/requestlog"
)

// Sec381: what a refused request carried.
func TestReceived_KeepsNoValueThatIsSecretOrNamesAnybody(t *testing.T) {
	t.Parallel()
	const hush = "hush-5e1f"
	sent := url.Values{"something_of_its_own": {hush}, "x-" + strings.Repeat("y", 100): {hush}}
	for _, name := range parameter.Names() {
		sent[name] = []string{hush}
	}
	kept := map[string]bool{}
	for _, p := range requestlog.Received(sent) {
		kept[p.Name] = strings.Contains(fmt.Sprintf("%+v", p), hush)
	}
	for _, name := range []string{"code", "code_verifier", "client_secret", "client_assertion", "refresh_token", "token", "id_token_hint", "login_hint", "state", "nonce", "request", "request_uri", "something_of_its_own"} {
		if kept[name] {
			t.Errorf("the value of %s is kept", name)
		}
	}
	for _, name := range []string{"redirect_uri", "scope", "grant_type", "client_id"} {
		if !kept[name] {
			t.Errorf("the value of %s is not kept, and its developer needs it", name)
		}
	}
}

func TestReceived_IsBounded(t *testing.T) {
	t.Parallel()
	sent := url.Values{"scope": {strings.Repeat("ä", 10_000), "twice"}}
	for i := range 200 {
		sent[fmt.Sprintf("p%03d%s", i, strings.Repeat("n", 500))] = []string{"v"}
	}
	size := 0
	for _, p := range requestlog.Received(sent) {
		size += len(p.Name) + len(p.Value)
	}
	if size > 4096 {
		t.Errorf("%d bytes are kept", size)
	}
	only := requestlog.Received(url.Values{"scope": {strings.Repeat("ä", 10_000), "twice"}})[0]
	if !strings.HasSuffix(only.Value, "ä…") || only.Times != 2 {
		t.Errorf("the scope is kept as %+v", only)
	}
}
