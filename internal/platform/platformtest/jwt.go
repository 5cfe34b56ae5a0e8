package platformtest

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
)

// jwtForm is what looks like the header and the payload of a JWT (RFC 7515 §7.1).
var jwtForm = regexp.MustCompile(`([\w-]+)\.[\w-]*\.`)

// HoldsJWT says whether a text holds a JWT: something whose first part is the
// JSON of a header. Three letters would not do, since random text has them too.
func HoldsJWT(text string) bool {
	for begin := 0; begin < len(text); {
		at := jwtForm.FindStringSubmatchIndex(text[begin:])
		if at == nil {
			return false
		}
		header, err := base64.RawURLEncoding.DecodeString(text[begin+at[2] : begin+at[3]])
		var fields struct {
			Algorithm string `json:"alg"`
		}
		if err == nil && json.Unmarshal(header, &fields) == nil && fields.Algorithm != "" {
			return true
		}
		begin += at[3] + 1 // the next part may begin another
	}
	return false
}
