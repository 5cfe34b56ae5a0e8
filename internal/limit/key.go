package limit

import "github.com/loop-health/loop/internal/loop"

// Key says whose requests are counted together. Keys can be compared.
type Key struct {
	id       string       // of a client or a member; empty: whoever is at the place
	place    loop.Network // the network; zero: anywhere
	stranger bool         // anybody at the place can use it up, by intent or by accident
}

// String distinguishes keys: the id, the network, or both.
func (k Key) String() string {
	if k.place == (loop.Network{}) {
		return k.id
	}
	return k.id + "@" + k.place.String()
}

// ByClient counts the requests that have authenticated as the client. A public
// client proves nothing by its id, and anyone can have a token of it issued to
// themselves: its requests count by network too, or one person could use it up
// for all.
func ByClient(id loop.ClientID, kind loop.ClientType, address string) Key {
	if kind == loop.Confidential {
		return Key{id: string(id)}
	}
	return Key{id: string(id), place: loop.NetworkOf(address), stranger: true}
}

// ByMember counts the requests of a member who is signed in.
func ByMember(id loop.MemberID) Key { return Key{id: string(id)} }

// ByAddress counts the requests from the network of an address, whoever sends
// them.
func ByAddress(address string) Key { return Key{place: loop.NetworkOf(address), stranger: true} }
