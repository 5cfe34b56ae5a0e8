package loop

import "net/netip"

// Network is where somebody's requests come from: an IPv4 address, or 64 bits of an
// IPv6 one, whose rest a sender chooses themselves (RFC 4291 §2.5.4). Zero: all that
// is no address.
type Network [16]byte

const ipv6Network = 64

// NetworkOf is the network of an address, in either way of writing IPv4.
func NetworkOf(address string) Network {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return Network{}
	}
	parsed = parsed.Unmap()
	if parsed.Is6() {
		prefix, _ := parsed.Prefix(ipv6Network) // fails for no IPv6 address
		parsed = prefix.Addr()
	}
	return parsed.As16()
}

// String is the network's first address.
func (n Network) String() string { return netip.AddrFrom16(n).Unmap().String() }
