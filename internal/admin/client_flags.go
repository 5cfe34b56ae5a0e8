package admin

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// clientFlags are the fields of a client that an operator sets. What is not
// given stays as it is.
type clientFlags struct {
	Name           *string        `help:"The app's name, as members see it." placeholder:"NAME"`
	RedirectURI    []string       `name:"redirect-uri" sep:"none" help:"Where answers go. Repeat it for more; together they replace all." placeholder:"URI"`
	Scope          []string       `sep:"none" help:"What the app may ask for. Repeat it, or separate scopes by spaces; together they replace all." placeholder:"SCOPE"`
	RequiredScope  []string       `sep:"none" help:"What members cannot leave out; \"\" for nothing." placeholder:"SCOPE"`
	HomePage       *string        `help:"The app's home page (https), shown to members." placeholder:"URL"`
	PolicyPage     *string        `help:"Its privacy policy (https)." placeholder:"URL"`
	TermsPage      *string        `help:"Its terms of service (https)." placeholder:"URL"`
	LogoURI        *string        `name:"logo-uri" help:"Its logo (https): a PNG, JPEG, WebP or GIF of 1 MiB at most. It is fetched once, and members are shown a copy." placeholder:"URL"`
	AccessTokenTTL *time.Duration `name:"access-token-ttl" help:"How long an access token lives: 5m to 1h." placeholder:"DURATION"`
	RefreshGrace   *time.Duration `help:"How long a refresh may be repeated: 0s to 30s." placeholder:"DURATION"`
	RequireNonce   *bool          `negatable:"" help:"Demand a nonce in every request."`
	Mode           *string        `help:"development (test members' health data only) or production." placeholder:"MODE"`
	BAASignedOn    *string        `name:"baa-signed-on" help:"The day on which the agreement (BAA) was signed: 2026-03-02." placeholder:"DATE" xor:"baa" and:"baa-signed"`
	BAABy          *string        `name:"baa-by" help:"Who signed it." placeholder:"NAME" and:"baa-signed"`
	NoBAA          bool           `name:"no-baa" help:"There is no agreement any more." xor:"baa"`
	FirstParty     *bool          `negatable:"" help:"The app is Loop's own."`
	Verified       *bool          `negatable:"" help:"Loop has checked who is behind the app."`
	Owner          *string        `help:"The developer's user id; \"\" for none." placeholder:"USER"`

	Protocol protocolFlags `embed:""`
}

// change reads the flags into a function that alters a client. Faults of the
// flags themselves come back joined; the function leaves out what has one.
func (f *clientFlags) change(input io.Reader) (func(*loop.Client), error) {
	protocol, protocolErr := f.Protocol.change(input)
	scopes, scopeErr := readScopes(f.Scope)
	required, requiredErr := readScopes(f.RequiredScope)
	baa, baaErr := f.baa()
	return func(c *loop.Client) {
		set(&c.Name, f.Name)
		if f.RedirectURI != nil {
			c.RedirectURIs = make([]loop.RedirectURI, len(f.RedirectURI))
			for i, uri := range f.RedirectURI {
				c.RedirectURIs[i] = loop.RedirectURI(uri)
			}
		}
		if f.Scope != nil && scopeErr == nil {
			c.AllowedScopes = scopes
		}
		if f.RequiredScope != nil && requiredErr == nil {
			c.RequiredScopes = required
		}
		set(&c.HomePage, f.HomePage)
		set(&c.PolicyPage, f.PolicyPage)
		set(&c.TermsPage, f.TermsPage)
		set(&c.Logo.URI, f.LogoURI)
		set(&c.AccessTokenTTL, f.AccessTokenTTL)
		set(&c.RefreshGrace, f.RefreshGrace)
		set(&c.RequireNonce, f.RequireNonce)
		set(&c.Mode, (*loop.Mode)(f.Mode))
		if baa != nil || f.NoBAA {
			c.BAA = baa
		}
		set(&c.FirstParty, f.FirstParty)
		set(&c.Verified, f.Verified)
		set(&c.Owner, (*loop.MemberID)(f.Owner))
		protocol(c)
	}, errors.Join(scopeErr, requiredErr, baaErr, protocolErr)
}

// set gives a field its new value, where there is one.
func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// readScopes takes scopes one by one or several at once. No scope at all is the
// empty set here; whether that will do is for the client's rules.
func readScopes(given []string) (loop.Scopes, error) {
	text := strings.Join(strings.Fields(strings.Join(given, " ")), " ")
	if text == "" {
		return nil, nil
	}
	asked, err := loop.ParseScopes(text)
	return asked.Scopes(), err
}

func (f *clientFlags) baa() (*loop.BAA, error) {
	if f.BAASignedOn == nil {
		return nil, nil //nolint:nilnil // no agreement was given, and nothing is wrong with that
	}
	on, err := time.Parse(time.DateOnly, *f.BAASignedOn)
	if err != nil || *f.BAABy == "" {
		return nil, loop.Errorf(loop.ValidationError, "An agreement has a day and a signer: --baa-signed-on 2026-03-02 --baa-by 'Ada Lovelace'.").About("baa")
	}
	return &loop.BAA{SignedOn: on, By: *f.BAABy}, nil
}
