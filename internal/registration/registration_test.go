package registration_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/registration"
)

// newApp is an app that has not been registered.
func newApp(set ...func(*loop.Client)) *loop.Client {
	c := registration.New()
	c.Name, c.RedirectURIs = "Morning Labs", []loop.RedirectURI{platformtest.Callback}
	for _, f := range set {
		f(c)
	}
	return c
}

// newest are the newest records of a client's registration.
func newest(t *testing.T, p *platformtest.Platform, id loop.ClientID, count int) (events []audit.Event) {
	t.Helper()
	records, err := p.Clients.Store.ClientRecords(t.Context(), id, count)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		events = append(events, record.Event)
	}
	return events
}

func TestCreate_ASecretIsForClientsThatAuthenticateWithOne(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	key := platformtest.NewKey(t)
	for name, test := range map[string]struct {
		set    func(*loop.Client)
		secret bool
	}{
		"a confidential one": {func(*loop.Client) {}, true},
		"a public one":       {func(c *loop.Client) { c.Type = loop.Public }, false},
		"one with a key": {func(c *loop.Client) {
			c.Protocol.AuthMethod, c.Protocol.KeySet = loop.AuthPrivateKeyJWT, key.Set()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newApp(test.set)
			secret, err := p.Clients.Create(t.Context(), c, operator)
			if err != nil {
				t.Fatal(err)
			}
			stored, err := p.Clients.Store.Client(t.Context(), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if len(stored.Secrets) == 1 != test.secret {
				t.Errorf("it has %d secrets", len(stored.Secrets))
			}
			if test.secret && !stored.HoldsSecret(secret.Hash(), p.World.Now()) {
				t.Error("the secret that was shown is not the one that is stored")
			}
			if got := newest(t, p, c.ID, 2); !slices.Equal(got, []audit.Event{audit.ClientCreated}) {
				t.Errorf("the record has %v", got)
			}
		})
	}
}

func TestCreate_NamesEachFaultAndStoresNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for name, test := range map[string]struct {
		set    func(*loop.Client)
		fields []string // that the error is about
	}{
		"no name":                      {func(c *loop.Client) { c.Name = "" }, []string{"client_name"}},
		"a redirect URI without https": {func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"http://app.example.com/cb"} }, []string{"redirect_uris"}},
		"a key set at an inner address": {func(c *loop.Client) {
			c.Protocol.AuthMethod, c.Protocol.KeySetURI = loop.AuthPrivateKeyJWT, "https://10.0.0.1/keys"
		}, []string{"jwks_uri"}},
		"a logout address on loopback": {func(c *loop.Client) { c.Protocol.BackchannelLogoutURI = "https://127.0.0.1/logout" }, []string{"backchannel_logout_uri"}},
		"a key set that is none": {func(c *loop.Client) {
			c.Protocol.AuthMethod, c.Protocol.KeySet = loop.AuthPrivateKeyJWT, []byte(`{"keys":[{}]}`)
		}, []string{"jwks"}},
		"two faults, and both are named": {func(c *loop.Client) { c.Name, c.RefreshGrace = "", time.Hour }, []string{"client_name", "refresh_grace"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newApp(test.set)
			_, err := p.Clients.Create(t.Context(), c, operator)
			for _, field := range test.fields {
				if !isAbout(err, field) {
					t.Errorf("the error is not about %s: %v", field, err)
				}
			}
			if c.ID != "" {
				t.Errorf("it has the id %s", c.ID)
			}
		})
	}
}

// isAbout reports whether one of the joined errors is about the field.
func isAbout(err error, field string) bool {
	var all interface{ Unwrap() []error }
	if errors.As(err, &all) {
		return slices.ContainsFunc(all.Unwrap(), func(err error) bool { return isAbout(err, field) })
	}
	one, ok := errors.AsType[*loop.Error](err)
	return ok && one.Code == loop.ValidationError && one.Field == field
}

func TestUpdate_RefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	for name, test := range map[string]struct {
		change func(*loop.Client)
		says   string
	}{
		"another type": {func(c *loop.Client) { c.Type = loop.Public }, "The type of a client is fixed"},
		"a bad name":   {func(c *loop.Client) { c.Name = "" }, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := p.Clients.Store.Client(t.Context(), app.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Clients.Update(t.Context(), app.ID, operator, test.change); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(test.says)) {
				t.Errorf("the error is %v", err)
			}
			after, err := p.Clients.Store.Client(t.Context(), app.ID)
			if err != nil || after.Name != before.Name || after.Type != before.Type || !after.UpdatedAt.Equal(before.UpdatedAt) {
				t.Errorf("it has changed: %+v, %v", after, err)
			}
		})
	}
}

func TestClients_WithoutTheClientTheAnswerIsNotFound(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	const nobody = loop.ClientID("client_01HXY00000000000000000000Z")
	for name, act := range map[string]func() error{
		"update": func() error {
			_, err := p.Clients.Update(t.Context(), nobody, operator, func(*loop.Client) {})
			return err
		},
		"disable":       func() error { _, err := p.Clients.SetEnabled(t.Context(), nobody, operator, false); return err },
		"rotate secret": func() error { _, err := p.Clients.RotateSecret(t.Context(), nobody, operator); return err },
	} {
		if err := act(); err == nil || loop.AsError(err).Code != loop.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRotateSecret_TheNewestBeforeItWorksForADay(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	c := newApp()
	first, err := p.Clients.Create(t.Context(), c, operator)
	if err != nil {
		t.Fatal(err)
	}
	p.World.Advance(time.Minute)
	second, err := p.Clients.RotateSecret(t.Context(), c.ID, operator)
	if err != nil {
		t.Fatal(err)
	}
	holds := func(wantFirst, wantSecond bool) {
		t.Helper()
		stored, err := p.Clients.Store.Client(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		now := p.World.Now()
		if got := stored.HoldsSecret(first.Hash(), now); got != wantFirst {
			t.Errorf("the first works: %v", got)
		}
		if got := stored.HoldsSecret(second.Hash(), now); got != wantSecond {
			t.Errorf("the second works: %v", got)
		}
	}
	holds(true, true)
	p.World.Advance(loop.SecretOverlap - time.Second)
	holds(true, true)
	p.World.Advance(2 * time.Second)
	holds(false, true)
}

func TestRotateSecret_AThirdEndsTheFirstAtOnce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	c := newApp()
	first, err := p.Clients.Create(t.Context(), c, operator)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p.World.Advance(time.Minute)
		if _, err := p.Clients.RotateSecret(t.Context(), c.ID, operator); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := p.Clients.Store.Client(t.Context(), c.ID)
	if err != nil || len(stored.Secrets) != 2 || stored.HoldsSecret(first.Hash(), p.World.Now()) {
		t.Errorf("it has %d secrets, %v", len(stored.Secrets), err)
	}
}

func TestRotateSecret_AClientWithoutOneGetsNone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	c := newApp(func(c *loop.Client) { c.Type = loop.Public })
	if _, err := p.Clients.Create(t.Context(), c, operator); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Clients.RotateSecret(t.Context(), c.ID, operator); !isAbout(err, "token_endpoint_auth_method") {
		t.Errorf("the error is %v", err)
	}
}

func TestHasOrigin_IsThatOfAnEnabledApp(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	const origin = "https://spa.example.com"
	has := func(want bool, when string) {
		t.Helper()
		if got := p.Clients.HasOrigin(t.Context(), origin); got != want {
			t.Errorf("%s: %v", when, got)
		}
	}
	has(false, "before it is registered")
	c := newApp(func(c *loop.Client) {
		c.Type = loop.Public
		c.Protocol.AllowedOrigins = []loop.Origin{origin}
	})
	if _, err := p.Clients.Create(t.Context(), c, operator); err != nil {
		t.Fatal(err)
	}
	has(true, "registered")
	if _, err := p.Clients.SetEnabled(t.Context(), c.ID, operator, false); err != nil {
		t.Fatal(err)
	}
	has(false, "disabled")
}
