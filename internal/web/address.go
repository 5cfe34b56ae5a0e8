package web

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/audit"
)

// Address is the IP that the request came from, as text: the connection's, or
// what a proxy that the configuration names says it is.
func Address(ctx context.Context) string { return audit.OriginOf(ctx).Address }

// clientAddress is the peer of the connection or, where that is one of the
// TrustedProxies, the client that X-Forwarded-For names: its rightmost address
// that is not itself a trusted proxy's. What stands further left was written by
// that client, and says nothing; from any other peer the whole header says
// nothing. No other header is read for it.
func (s *Site) clientAddress(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	client := peer.Addr().Unmap().WithZone("") // a zone is in no prefix
	if !s.isProxy(client) {
		return client.String()
	}
	for _, header := range slices.Backward(r.Header.Values("X-Forwarded-For")) {
		for _, hop := range slices.Backward(strings.Split(header, ",")) {
			address, ok := parseHop(hop)
			if !ok { // the proxy that wrote it is the last of which we know
				return client.String()
			}
			if client = address; !s.isProxy(client) {
				return client.String()
			}
		}
	}
	return client.String()
}

func (s *Site) isProxy(address netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// parseHop reads an element of X-Forwarded-For: an address, and with some
// proxies its port.
func parseHop(text string) (address netip.Addr, ok bool) {
	text = strings.TrimSpace(text)
	address, err := netip.ParseAddr(text)
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(text)
		address = withPort.Addr()
	}
	return address.Unmap().WithZone(""), err == nil
}
