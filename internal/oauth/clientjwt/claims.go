package clientjwt

import (
	"encoding/json"
	"errors"
	"time"

	josejson "github.com/go-jose/go-jose/v4/json"
)

// DecodeClaims reads a JSON object of claims, none of them twice (RFC 7519 §4),
// and by their names as they are: encoding/json would take ISS for iss, so that
// one claim could be checked and another be used.
func DecodeClaims(payload []byte, into any) error { return josejson.Unmarshal(payload, into) }

// Seconds is a NumericDate (RFC 7519 §2) within the years that a clock can show.
type Seconds float64

// Time is the moment.
func (n Seconds) Time() time.Time { return time.UnixMicro(int64(n * 1e6)).UTC() }

// After reports whether the moment, if there is one, is after t.
func (n *Seconds) After(t time.Time) bool { return n != nil && n.Time().After(t) }

// UnmarshalJSON refuses numbers that are no date.
func (n *Seconds) UnmarshalJSON(raw []byte) error {
	var number float64
	if err := json.Unmarshal(raw, &number); err != nil {
		return err
	}
	const year9999 = 253402300799
	if number < 0 || number > year9999 {
		return errors.New("not a date")
	}
	*n = Seconds(number)
	return nil
}
