package admin

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// clientFlags are the fields of a client that an operator sets: by flags, or in a file
// under the names of client metadata (RFC 7591 §2). What is not given stays as it is.
type clientFlags struct {
	Name           *string        `toml:"client_name" help:"The app's name, as members see it." placeholder:"NAME"`
	RedirectURI    []string       `toml:"redirect_uris" name:"redirect-uri" sep:"none" help:"Where answers go. Repeat it for more; together they replace all." placeholder:"URI"`
	Scope          []string       `toml:"allowed_scopes" sep:"none" help:"What the app may ask for. Repeat it, or separate scopes by spaces; together they replace all." placeholder:"SCOPE"`
	RequiredScope  []string       `toml:"required_scopes" sep:"none" help:"What members cannot leave out; \"\" for nothing." placeholder:"SCOPE"`
	HomePage       *string        `toml:"client_uri" help:"The app's home page (https), shown to members." placeholder:"URL"`
	PolicyPage     *string        `toml:"policy_uri" help:"Its privacy policy (https)." placeholder:"URL"`
	TermsPage      *string        `toml:"tos_uri" help:"Its terms of service (https)." placeholder:"URL"`
	LogoURI        *string        `toml:"logo_uri" name:"logo-uri" help:"Its logo (https): a PNG, JPEG, WebP or GIF of 1 MiB at most. It is fetched once, and members are shown a copy." placeholder:"URL"`
	AccessTokenTTL *time.Duration `toml:"access_token_ttl" name:"access-token-ttl" help:"How long an access token lives: 5m to 1h." placeholder:"DURATION"`
	RefreshGrace   *time.Duration `toml:"refresh_grace" help:"How long a refresh may be repeated: 0s to 30s." placeholder:"DURATION"`
	RequireNonce   *bool          `toml:"require_nonce" negatable:"" help:"Demand a nonce in every request."`
	Mode           *string        `toml:"mode" help:"development (test members' health data only) or production." placeholder:"MODE"`
	BAASignedOn    *string        `toml:"baa_signed_on" name:"baa-signed-on" help:"The day on which the agreement (BAA) was signed: 2026-03-02." placeholder:"DATE" xor:"baa" and:"baa-signed"`
	BAABy          *string        `toml:"baa_by" name:"baa-by" help:"Who signed it." placeholder:"NAME" and:"baa-signed"`
	NoBAA          bool           `toml:"no_baa" name:"no-baa" help:"There is no agreement any more." xor:"baa"`
	FirstParty     *bool          `toml:"is_first_party" negatable:"" help:"The app is Loop's own."`
	Verified       *bool          `toml:"verified" negatable:"" help:"Loop has checked who is behind the app."`
	Owner          *string        `toml:"owner" help:"The developer's user id; \"\" for none." placeholder:"USER"`

	protocolFlags `embed:""`
}

// change reads the flags into a function that alters a client. Faults of the
// flags themselves come back joined; the function leaves out what has one.
func (f *clientFlags) change(input io.Reader) (func(*loop.Client), error) {
	protocol, protocolErr := f.protocolFlags.change(input)
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

var errBAA = loop.Errorf(loop.ValidationError, "An agreement has a day and a signer: baa-signed-on 2026-03-02 and baa-by 'Ada Lovelace' go together, without no-baa.").About("baa")

func (f *clientFlags) baa() (*loop.BAA, error) {
	if f.BAASignedOn == nil && f.BAABy == nil {
		return nil, nil //nolint:nilnil // no agreement was given, and nothing is wrong with that
	}
	if f.BAASignedOn == nil || f.BAABy == nil || f.NoBAA {
		return nil, errBAA
	}
	on, err := time.Parse(time.DateOnly, *f.BAASignedOn)
	if err != nil || *f.BAABy == "" {
		return nil, errBAA
	}
	return &loop.BAA{SignedOn: on, By: *f.BAABy}, nil
}
