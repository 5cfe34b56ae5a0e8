package fetch

import (
	"net/netip"
	"slices"
)

// globalUnicast is all of IPv6 that is given out to be reached from everywhere
// (RFC 4291 §2.4). Loopback, mapped, NAT64, unique local, link-local, site-local
// and multicast addresses lie outside it.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// special are the blocks within IPv4 and globalUnicast that are not public: the
// IANA special-purpose address registries (RFC 6890), in whole blocks.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("10.0.0.0/8"),       // private (RFC 1918)
	netip.MustParsePrefix("100.64.0.0/10"),    // carrier-grade NAT (RFC 6598)
	netip.MustParsePrefix("127.0.0.0/8"),      // loopback
	netip.MustParsePrefix("168.63.129.16/32"), // the host of a machine in Azure: public in form alone
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local, metadata of clouds among it
	netip.MustParsePrefix("172.16.0.0/12"),    // private
	netip.MustParsePrefix("192.0.0.0/24"),     // IETF protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation (RFC 5737)
	netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays (RFC 7526)
	netip.MustParsePrefix("192.168.0.0/16"),   // private
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks (RFC 2544)
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("224.0.0.0/4"),      // multicast
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved, and broadcast

	netip.MustParsePrefix("2001::/23"),     // IETF protocol assignments, Teredo and benchmarks among them
	netip.MustParsePrefix("2001:db8::/32"), // documentation (RFC 3849)
	netip.MustParsePrefix("2002::/16"),     // 6to4: an IPv4 address, whichever
	netip.MustParsePrefix("3fff::/20"),     // documentation (RFC 9637)
}

// reachable reports whether an address may be dialled: public unicast, or for
// an open host loopback too. An IPv4 address mapped into IPv6 is judged as IPv4.
func reachable(address netip.Addr, open bool) bool {
	address = address.Unmap()
	switch {
	case address.IsLoopback():
		return open
	case !address.Is4() && !globalUnicast.Contains(address): // one with a zone neither
		return false
	}
	return !slices.ContainsFunc(special, func(block netip.Prefix) bool { return block.Contains(address) })
}
