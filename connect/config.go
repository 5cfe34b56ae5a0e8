package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Config is what an app is registered with, and what it brings. All of it may be
// printed: secrets hide themselves.
type Config struct {
	Issuer       string // Loop's identity host, such as https://identity.platform.loop.health
	API          string // where the data is, such as https://clinical.platform.loop.health
	ClientID     string
	ClientSecret Secret   // of an app that authenticates by it: in the form (client_secret_post)
	BasicAuth    bool     // send ClientSecret by HTTP Basic instead (client_secret_basic)
	ClientKey    *Key     // in its place: private_key_jwt (RFC 7523)
	RedirectURL  string   // byte for byte as registered
	Scopes       []string // nil: openid, profile, read:biomarkers

	// Store keeps members' tokens; nil: in memory, until the process ends.
	Store Store
	// Keys seal cookies; nil: keys of this process, so that a restart signs everybody
	// out of the app, and several processes sign each other's members out.
	Keys *KeyRing

	// ProofKey binds tokens to itself (DPoP, RFC 9449); nil: they are bearer tokens.
	ProofKey *Key
	// RefreshGrace is the grace period that the app is registered with: for so long a
	// refresh may be repeated though it may have been carried out. 0: never.
	RefreshGrace time.Duration

	// AfterLogin is where members go once they are connected, and have not said where
	// else: "/" without it.
	AfterLogin string
	// OnError answers a login that came to nothing; nil: a plain page says why.
	OnError func(w http.ResponseWriter, r *http.Request, err error)

	// MaxAnswer bounds how many bytes of an answer are read; 0: 16 MiB. A longer one is
	// an error.
	MaxAnswer int64

	HTTP  *http.Client // nil: one with time-outs; redirects are followed by neither
	Hooks Hooks
	Log   *slog.Logger     // nil: nothing is logged
	Now   func() time.Time // nil: time.Now
}

// Hooks report requests to Loop, for traces and figures. They see no body and no
// header.
type Hooks struct {
	// Request is called before each attempt; what it gives is called with the answer's
	// status, or 0 and the error. Attempts count from 1.
	Request func(ctx context.Context, method, path string, attempt int) (done func(status int, err error))
}

// Client is an app's way to Loop. It is safe for concurrent use; an app needs one.
type Client struct {
	config    Config
	redirect  *url.URL
	http      *http.Client
	discovery *discovery
	proofs    *proofs // nil: tokens are not bound
	refreshes refreshes
	cookies   sealer
}

// Format shows which app's it is, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "Client of ", c.config.ClientID) }

// requestTimeout bounds a request to Loop, its answer read.
const requestTimeout = 15 * time.Second

// New checks the configuration. It asks nobody: Loop is discovered when it is needed
// first, so that an app starts without it.
func New(config Config) (*Client, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config.fill()
	c := &Client{config: config, http: guarded(config.HTTP, config.MaxAnswer), refreshes: refreshes{running: make(map[string]*refreshing)}}
	c.redirect, _ = url.Parse(config.RedirectURL) // check has
	c.cookies = sealer{keys: config.Keys, purpose: "cookies of " + config.ClientID}
	if config.ProofKey != nil {
		c.proofs = newProofs(config.ProofKey, config.Now)
	}
	c.discovery = newDiscovery(config.Issuer, c.http, config.Now)
	return c, nil
}

// check reports everything that is wrong at once.
func (config *Config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("connect: "+format, args...)) }
	for name, address := range map[string]string{"Issuer": config.Issuer, "API": config.API, "RedirectURL": config.RedirectURL} {
		u, err := url.Parse(address)
		switch {
		case address == "":
			fault("%s is missing", name)
		case err != nil || u.Host == "" || u.Fragment != "":
			fault("%s %q is no address: write https://…", name, address)
		case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
			fault("%s %q must be https; http is for localhost alone", name, address)
		}
	}
	if config.ClientID == "" {
		fault("ClientID is missing")
	}
	if config.ClientSecret != "" && config.ClientKey != nil {
		fault("ClientSecret and ClientKey are both there: an app authenticates by one of them")
	}
	if config.BasicAuth && config.ClientSecret == "" {
		fault("BasicAuth sends a ClientSecret, and there is none")
	}
	if config.MaxAnswer < 0 {
		fault("MaxAnswer is below 0")
	}
	if config.AfterLogin != "" && localPath(config.AfterLogin) != config.AfterLogin {
		fault("AfterLogin %q must be a path of the app's own, such as /results", config.AfterLogin)
	}
	slices.SortFunc(faults, func(a, b error) int { return compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

func (config *Config) fill() {
	if config.Scopes == nil {
		config.Scopes = []string{"openid", "profile", "read:biomarkers"}
	}
	if config.Store == nil {
		config.Store = NewMemoryStore()
	}
	if config.Keys == nil {
		config.Keys = NewKeyRing(NewKeyBytes())
	}
	if config.AfterLogin == "" {
		config.AfterLogin = "/"
	}
	if config.MaxAnswer == 0 {
		config.MaxAnswer = 16 << 20
	}
	if config.HTTP == nil {
		config.HTTP = &http.Client{Timeout: requestTimeout}
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
}
