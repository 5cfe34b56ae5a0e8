package oauth

import (
	"context"
	"errors"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
)

// Inspection is what the checks of an authorization request find, for the developer of
// its app.
type Inspection struct {
	Client  *loop.Client // that the request names; nil: none works under that id
	Checked []Checked    // in the order of the checks
	// Refused is the answer that the request would get; nil: the member would be asked
	// to sign in, or for consent.
	Refused *AuthorizationError
}

// Checked is what one check found.
type Checked struct {
	Name  string      // what it judges: a parameter's name, or a word such as length
	Fault *loop.Error // nil: nothing
}

// Inspect makes the checks that an authorization request passes, by the same code as
// its endpoint, and says what each found. It asks no member, uses nothing up and leaves
// no record. An error says that something failed on our side.
func (s *Server) Inspect(ctx context.Context, params url.Values) (*Inspection, error) {
	found := &Inspection{}
	report := func(check string, err error) {
		checked := Checked{Name: check}
		if err != nil {
			checked.Fault = loop.AsError(err)
		}
		found.Checked = append(found.Checked, checked)
	}
	raw, err := s.Resolve(ctx, params)
	if err != nil || !raw.Unsigned {
		report("request, request_uri", err)
	}
	if err == nil {
		params = raw.Parameters
		_, err = s.checkAuthorizationRequest(ctx, raw, report)
	}
	found.Client, _ = s.findClient(ctx, params) // what is wrong with it was said above
	refused, ok := errors.AsType[*AuthorizationError](err)
	if err != nil && (!ok || isOurs(refused.Fault)) {
		return nil, err
	}
	found.Refused = refused
	return found, nil
}
