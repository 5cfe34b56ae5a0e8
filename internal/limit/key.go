package limit

import (
	"net/netip"

	"github.com/loop-health/loop/internal/loop"
)

// Key says whose requests are counted together. Keys can be compared.
type Key struct {
	id       string   // of a client or a member; empty: whoever is at the place
	place    [16]byte // the network; zero: anywhere
	stranger bool     // anybody at the place can use it up, by intent or by accident
}

// String distinguishes keys: the id, the network, or both.
func (k Key) String() string {
	if k.place == [16]byte{} {
		return k.id
	}
	return k.id + "@" + netip.AddrFrom16(k.place).Unmap().String()
}

// ByClient counts the requests that have authenticated as the client. A public
// client proves nothing by its id, and anyone can have a token of it issued to
// themselves: its requests count by network too, or one person could use it up
// for all.
func ByClient(id loop.ClientID, kind loop.ClientType, address string) Key {
	if kind == loop.Confidential {
		return Key{id: string(id)}
	}
	return Key{id: string(id), place: network(address), stranger: true}
}

// ByMember counts the requests of a member who is signed in.
func ByMember(id loop.MemberID) Key { return Key{id: string(id)} }

// ByAddress counts the requests from the network of an address, whoever sends
// them.
func ByAddress(address string) Key { return Key{place: network(address), stranger: true} }

// ipv6Network is how many bits of an IPv6 address say who somebody is: the rest
// they choose themselves (RFC 4291 §2.5.4).
const ipv6Network = 64

// network is where an address is: IPv4 as it is, in either way of writing it,
// IPv6 by /64. All that is no address is one place.
func network(address string) [16]byte {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return [16]byte{}
	}
	parsed = parsed.Unmap()
	if parsed.Is6() {
		prefix, _ := parsed.Prefix(ipv6Network) // fails for no IPv6 address
		parsed = prefix.Addr()
	}
	return parsed.As16()
}
