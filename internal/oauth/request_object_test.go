package oauth

import "testing"

func TestIsAudience(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent any
		ours bool
	}{
		"the issuer":           {issuer, true},
		"the issuer in a list": {[]any{issuer}, true},
		"RFC 7519 §4.1.3 the issuer beside others": {[]any{"https://other.example", issuer}, true},
		"another":                    {"https://other.example", false},
		"others":                     {[]any{"https://other.example", issuer + "/"}, false},
		"an empty list":              {[]any{}, false},
		"a list within a list":       {[]any{[]any{issuer}}, false},
		"a list that holds a number": {[]any{7}, false},
		"a number":                   {7, false},
		"an object":                  {map[string]any{"aud": issuer}, false},
		"nothing":                    {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if isAudience(test.sent, issuer) != test.ours {
				t.Errorf("%v: not %t", test.sent, test.ours)
			}
		})
	}
}
