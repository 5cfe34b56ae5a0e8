package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestSec110_OneResolutionAndTheJudgedAddressIsDialled(t *testing.T) {
	t.Parallel()
	private := []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	o, c := newOutside(t, keys, public, private)

	if _, err := c.Get(t.Context(), page, "application/json"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.asked, []string{"app.example.com."}) {
		t.Errorf("asked for %q, want the rooted name, once", o.asked)
	}
	if !slices.Equal(o.dialled, []string{"8.8.8.8:443"}) {
		t.Errorf("dialled %q, want the first address that was judged", o.dialled)
	}

	t.Run("the same name, private the next time", func(t *testing.T) {
		_, err := c.Get(t.Context(), page, "application/json")
		refused(t, err, loop.TemporarilyUnavailable, "no public address")
		if _, err = c.Post(t.Context(), page, "application/json", nil); !errors.Is(err, errNotPublic) {
			t.Errorf("got %v", err)
		}
		if len(o.asked) != 3 || len(o.dialled) != 1 {
			t.Errorf("asked %d times, dialled %q", len(o.asked), o.dialled)
		}
	})
}

func TestSec110_AnyPrivateAddressRefusesAll(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string][]netip.Addr{
		"public, then private":         {public[0], netip.MustParseAddr("192.168.1.1")},
		"private, then public":         {netip.MustParseAddr("127.0.0.1"), public[0]},
		"IPv4 public, IPv6 private":    {public[0], netip.MustParseAddr("fd00::1")},
		"IPv6 public, IPv4 private":    {public[1], netip.MustParseAddr("169.254.169.254")},
		"private behind all we dial":   {public[0], public[0], public[0], public[0], public[0], netip.MustParseAddr("10.0.0.1")},
		"private, mapped into IPv6":    {public[0], netip.MustParseAddr("::ffff:10.0.0.1")},
		"what a CNAME to private says": {netip.MustParseAddr("10.0.0.1")},
		"no address":                   {},
		"no such name":                 nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, c := newOutside(t, keys, answer)
			_, err := c.Get(t.Context(), page, "application/json")
			refused(t, err, loop.TemporarilyUnavailable, "no public address")
			if len(o.dialled) > 0 {
				t.Errorf("dialled %q", o.dialled)
			}
		})
	}
}

func TestDial_TriesAddressesInTurnButNotWithoutEnd(t *testing.T) {
	t.Parallel()
	many := make([]netip.Addr, 1000)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{8, 8, byte(i / 250), byte(i % 250)})
	}
	o, c := newOutside(t, keys, many)
	var tried []string
	down := 3
	c.dial = func(ctx context.Context, dialer *net.Dialer, address string) (net.Conn, error) {
		if tried = append(tried, address); len(tried) <= down {
			return nil, errors.New("connection refused")
		}
		return o.dial(ctx, dialer, address)
	}
	if _, err := c.Get(t.Context(), page, "application/json"); err != nil || len(tried) != 4 {
		t.Errorf("tried %v: %v", tried, err)
	}
	tried, down = nil, 1000
	_, err := c.Get(t.Context(), page, "application/json")
	refused(t, err, loop.TemporarilyUnavailable, "can't be reached")
	if len(tried) != 4 {
		t.Errorf("tried %d addresses", len(tried))
	}
}

func TestDial_RefusesServersThatProveNothing(t *testing.T) {
	t.Parallel()
	o, _ := newOutside(t, keys)
	old := httptest.NewUnstartedServer(http.HandlerFunc(keys))
	old.Config.ErrorLog = o.server.Config.ErrorLog
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	plain := httptest.NewServer(http.HandlerFunc(keys))
	t.Cleanup(plain.Close)

	for name, test := range map[string]struct {
		config Config
		url    string
		server *httptest.Server
	}{
		"a certificate for another host":                 {url: "https://app.example.org/"},
		"a certificate that nobody vouches for":          {config: Config{Roots: x509.NewCertPool()}, url: page},
		"a certificate that has run out":                 {config: Config{Now: func() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }}, url: page},
		"a certificate that is not yet valid":            {config: Config{Now: func() time.Time { return time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC) }}, url: page},
		"TLS 1.1":                                        {url: page, server: old},
		"plain http where https is asked":                {url: page, server: plain},
		"an open host is no exception where it is https": {config: Config{AllowedHosts: []string{"app.example.org"}}, url: "https://app.example.org/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := o.client(test.config)
			if test.server != nil {
				c.dial = func(ctx context.Context, _ *net.Dialer, _ string) (net.Conn, error) {
					return (&net.Dialer{}).DialContext(ctx, "tcp", test.server.Listener.Addr().String())
				}
			}
			_, err := c.Get(t.Context(), test.url, "application/json")
			refused(t, err, loop.TemporarilyUnavailable, "certificate")
		})
	}
}

func TestAllowedHosts_AreReachedInPlainHTTPOnLoopback(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(keys))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()

	t.Run("by the system's own resolver and dialer", func(t *testing.T) {
		t.Parallel()
		body, err := New(Config{AllowedHosts: []string{address}}).Get(t.Context(), server.URL, "application/json")
		if err != nil || string(body) != `{"keys":[]}` {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("an open name leads to loopback and public addresses, no others", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"10.0.0.1", "169.254.169.254", "::ffff:192.168.0.1", "fd00::1", "0.0.0.0", "::"} {
			c := New(Config{AllowedHosts: []string{"app.internal"}})
			c.lookup = func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr(text)}, nil
			}
			if _, err := c.Get(t.Context(), "http://app.internal:"+address[len("127.0.0.1:"):], "application/json"); !errors.Is(err, errNotPublic) {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
	t.Run("the open host opens no other", func(t *testing.T) {
		t.Parallel()
		c := New(Config{AllowedHosts: []string{address}})
		refused(t, c.CheckURL("http://localhost"+address[len("127.0.0.1"):]), loop.ValidationError, "https://")
	})
}
