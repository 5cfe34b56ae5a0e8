package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

// notPublic has an address of each kind that nobody outside may lead us to, the
// first and last of each block among them.
var notPublic = map[string][]string{
	"this host and network":           {"0.0.0.0", "0.0.0.1", "0.255.255.255"},
	"private 10/8":                    {"10.0.0.0", "10.0.0.1", "10.255.255.255"},
	"private 172.16/12":               {"172.16.0.0", "172.16.0.1", "172.31.255.255"},
	"private 192.168/16":              {"192.168.0.0", "192.168.1.1", "192.168.255.255"},
	"carrier-grade NAT 100.64/10":     {"100.64.0.0", "100.100.100.200", "100.127.255.255"},
	"loopback":                        {"127.0.0.0", "127.0.0.1", "127.1.2.3", "127.255.255.255"},
	"link-local and metadata":         {"169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.255.255"},
	"the host of a machine in Azure":  {"168.63.129.16"},
	"protocol assignments 192.0.0/24": {"192.0.0.0", "192.0.0.170", "192.0.0.192", "192.0.0.255"},
	"documentation":                   {"192.0.2.0", "192.0.2.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255"},
	"6to4 relays":                     {"192.88.99.0", "192.88.99.1", "192.88.99.255"},
	"benchmarks 198.18/15":            {"198.18.0.0", "198.19.255.255"},
	"multicast":                       {"224.0.0.0", "224.0.0.1", "239.255.255.255"},
	"reserved and broadcast":          {"240.0.0.0", "255.255.255.254", "255.255.255.255"},
	"IPv6 unspecified and loopback":   {"::", "::1"},
	"IPv4-compatible":                 {"::10.0.0.1", "::8.8.8.8"},
	"IPv4-mapped":                     {"::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0"},
	"IPv4-translated":                 {"::ffff:0:10.0.0.1"},
	"NAT64":                           {"64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"},
	"discard":                         {"100::", "100::1"},
	"Teredo":                          {"2001::", "2001:0:a00:1::1"},
	"IPv6 protocol assignments":       {"2001:1::1", "2001:1ff:ffff::1"},
	"IPv6 benchmarks":                 {"2001:2::1"},
	"ORCHID":                          {"2001:10::1", "2001:20::1"},
	"IPv6 documentation":              {"2001:db8::", "2001:db8:ffff:ffff::1", "3fff::1", "3fff:fff:ffff::1"},
	"6to4":                            {"2002:a00:1::", "2002:7f00:1::1", "2002:808:808::1"},
	"segment identifiers":             {"5f00::1"},
	"unique local fc00::/7":           {"fc00::", "fc00::1", "fd00:ec2::254", "fdff:ffff::1"},
	"link-local fe80::/10":            {"fe80::", "fe80::1", "febf:ffff::1"},
	"site-local fec0::/10":            {"fec0::", "fec0::1", "feff:ffff::1"},
	"IPv6 multicast":                  {"ff00::", "ff02::1", "ffff::1"},
	"IPv6 that nobody has been given": {"1fff:ffff::1", "4000::1", "8000::1"},
	"link-local with an interface":    {"fe80::1%eth0"},
	"a public address with a zone":    {"2606:4700:4700::1111%eth0"},
}

func TestSec108_AddressesThatAreNotPublic(t *testing.T) {
	t.Parallel()
	for kind, addresses := range notPublic {
		for _, text := range addresses {
			t.Run(kind+" "+text, func(t *testing.T) {
				t.Parallel()
				address := netip.MustParseAddr(text)
				o, c := newOutside(t, keys, []netip.Addr{address})

				t.Run("at save, as the host", func(t *testing.T) {
					host := text
					if address.Is6() {
						host = "[" + text + "]"
					}
					for _, port := range []string{"", ":443", ":8443"} {
						refused(t, c.CheckURL("https://"+host+port+"/"), loop.ValidationError, "")
					}
				})
				t.Run("at resolution, behind a name", func(t *testing.T) {
					_, err := c.Get(t.Context(), page, "application/json")
					refused(t, err, loop.TemporarilyUnavailable, "no public address")
					if len(o.dialled) > 0 || !errors.Is(err, errNotPublic) {
						t.Errorf("dialled %v: %v", o.dialled, err)
					}
				})
				t.Run("at dial, whatever was judged before", func(t *testing.T) {
					to := netip.AddrPortFrom(address, 443).String()
					if err := newDialer(false).Control("tcp", to, nil); !errors.Is(err, errNotPublic) {
						t.Errorf("got %v", err)
					}
				})
			})
		}
	}
}

func TestSec108_PublicNeighboursAreReached(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
		"192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "::ffff:8.8.8.8",
		"2001:200::1", "2001:db7:ffff::1", "2001:db9::1", "2003::1", "2606:4700:4700::1111", "2a00:1450::1", "3ffe:ffff::1", "3fff:1000::1",
	} {
		if !reachable(netip.MustParseAddr(text), false) {
			t.Errorf("%s is refused", text)
		}
	}
	if reachable(netip.Addr{}, false) || reachable(netip.Addr{}, true) {
		t.Error("no address at all is reached")
	}
}

func TestSec108_TheDialerNeverTouchesLoopback(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-accepted
	})
	to := listener.Addr().String()
	if _, err := dial(t.Context(), newDialer(false), to); !errors.Is(err, errNotPublic) {
		t.Errorf("got %v", err)
	}
	conn, err := dial(t.Context(), newDialer(true), to)
	if err != nil {
		t.Fatalf("an open host's dialer: %v", err)
	}
	// The first to arrive is the one that was let through: there was none before.
	if first := within(t, accepted); first.RemoteAddr().String() != conn.LocalAddr().String() {
		t.Error("the refused dial arrived")
	} else {
		_ = first.Close()
	}
	_ = conn.Close()
}

func TestSec108_TheSystemsResolverIsJudgedToo(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	addresses, err := lookup(t.Context(), "localhost")
	if err != nil || len(addresses) == 0 {
		t.Skipf("localhost is not known here: %v", err)
	}
	c.lookup = func(ctx context.Context, _ string) ([]netip.Addr, error) { return lookup(ctx, "localhost") }
	if _, err := c.Get(t.Context(), page, "application/json"); !errors.Is(err, errNotPublic) {
		t.Errorf("got %v", err)
	}
}
