package clientjwt

import (
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestIsType(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		typ  any
		same bool
	}{
		"as it is registered":                       {"dpop+jwt", true},
		"RFC 7515 §4.1.9 with application/":         {"application/dpop+jwt", true},
		"RFC 7515 §4.1.9 media types know no case":  {"DPoP+JWT", true},
		"RFC 7515 §4.1.9 neither does application/": {"Application/Dpop+Jwt", true},
		"another subtype":                           {"jwt", false},
		"another kind of media":                     {"text/dpop+jwt", false},
		"application/ alone":                        {"application/", false},
		"application/ twice":                        {"application/application/dpop+jwt", false},
		"a number":                                  {7, false},
		"nothing":                                   {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := jose.Header{ExtraHeaders: map[jose.HeaderKey]any{jose.HeaderType: test.typ}}
			if IsType(header, "oauth-authz-req+jwt", "dpop+jwt") != test.same {
				t.Errorf("%v: not %t", test.typ, test.same)
			}
		})
	}
}
