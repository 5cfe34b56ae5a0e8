package clientjwt

import "testing"

func TestDecodeClaims(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		payload string
		issuer  string
		fails   bool
	}{
		"as it should be":                               {payload: `{"iss":"a"}`, issuer: "a"},
		"Sec116 RFC 7519 §4 a name twice":               {payload: `{"iss":"a","iss":"b"}`, fails: true},
		"Sec104 another case is another name":           {payload: `{"ISS":"b"}`},
		"Sec104 another case beside it changes nothing": {payload: `{"iss":"a","Iss":"b"}`, issuer: "a"},
		"Sec104 a letter that folds to ours":            {payload: `{"i\u017fs":"b"}`},
		"Sec116 data behind it":                         {payload: `{"iss":"a"} {"iss":"b"}`, fails: true},
		"Sec116 a list":                                 {payload: `["iss"]`, fails: true},
		"Sec116 cut short":                              {payload: `{"iss":"a"`, fails: true},
		"Sec116 a number as a text":                     {payload: `{"iss":1}`, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var claims struct {
				Issuer string `json:"iss"`
			}
			err := DecodeClaims([]byte(test.payload), &claims)
			if (err != nil) != test.fails || !test.fails && claims.Issuer != test.issuer {
				t.Errorf("it reads %q, %v", claims.Issuer, err)
			}
		})
	}
}
