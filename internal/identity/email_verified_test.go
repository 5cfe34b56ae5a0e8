package identity_test

import (
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestUserCreate_AnOperatorSaysThatAnAddressIsVerified(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for flag, want := range map[string]string{"--email-verified": `"email_verified": true`, "--test": `"email_verified": false`} {
		out, err := p.RunWith(t, "", "user", "create", "--name", "Ada", "--email", "a"+strings.Trim(flag, "-")+"@members.example", "--json", flag)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, %s", flag, err, out)
		}
	}
}
