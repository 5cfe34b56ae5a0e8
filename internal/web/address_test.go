package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32"), netip.MustParsePrefix("fe80::/10")}
	const stranger, proxy = "203.0.113.9:4711", "10.1.0.1:4711"
	for name, c := range map[string]struct {
		peer string
		sent http.Header
		want string
	}{
		"the connection's, without its port":          {stranger, nil, "203.0.113.9"},
		"the connection's over IPv6":                  {"[2001:db8::1]:4711", nil, "2001:db8::1"},
		"IPv4 within IPv6 is IPv4":                    {"[::ffff:203.0.113.9]:4711", nil, "203.0.113.9"},
		"what is no address, as it is":                {"@", http.Header{"X-Forwarded-For": {"192.0.2.1"}}, "@"},
		"Sec081 forged by a stranger":                 {stranger, http.Header{"X-Forwarded-For": {"192.0.2.1"}}, "203.0.113.9"},
		"Sec081 forged by a stranger as a proxy":      {stranger, http.Header{"X-Forwarded-For": {"192.0.2.1, 10.1.0.1"}}, "203.0.113.9"},
		"Sec081 forged under other names":             {stranger, http.Header{"Forwarded": {"for=192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}, "True-Client-Ip": {"192.0.2.1"}, "Cf-Connecting-Ip": {"192.0.2.1"}}, "203.0.113.9"},
		"Sec081 other names from a proxy":             {proxy, http.Header{"Forwarded": {"for=192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}}, "10.1.0.1"},
		"from a proxy":                                {proxy, http.Header{"X-Forwarded-For": {"192.0.2.1"}}, "192.0.2.1"},
		"from a proxy over IPv6":                      {"[fd00:1::1]:4711", http.Header{"X-Forwarded-For": {"2001:db8::1"}}, "2001:db8::1"},
		"from a proxy as IPv4 within IPv6":            {"[::ffff:10.1.0.1]:4711", http.Header{"X-Forwarded-For": {"::ffff:192.0.2.1"}}, "192.0.2.1"},
		"from a proxy on the link, with a zone":       {"[fe80::1%eth0]:4711", http.Header{"X-Forwarded-For": {"192.0.2.1"}}, "192.0.2.1"},
		"from a proxy that says nothing":              {proxy, nil, "10.1.0.1"},
		"from a proxy, empty":                         {proxy, http.Header{"X-Forwarded-For": {""}}, "10.1.0.1"},
		"Sec123 what a client wrote before the proxy": {proxy, http.Header{"X-Forwarded-For": {"198.51.100.1, 198.51.100.2, 192.0.2.1"}}, "192.0.2.1"},
		"Sec123 in a header of its own":               {proxy, http.Header{"X-Forwarded-For": {"198.51.100.1", "192.0.2.1"}}, "192.0.2.1"},
		"Sec123 naming a proxy":                       {proxy, http.Header{"X-Forwarded-For": {"10.1.9.9, 192.0.2.1"}}, "192.0.2.1"},
		"through two proxies":                         {proxy, http.Header{"X-Forwarded-For": {"198.51.100.1, 192.0.2.1,10.1.0.2"}}, "192.0.2.1"},
		"through two proxies, a header each":          {proxy, http.Header{"X-Forwarded-For": {"192.0.2.1", "10.1.0.2"}}, "192.0.2.1"},
		"from a proxy of its own accord":              {proxy, http.Header{"X-Forwarded-For": {"10.1.0.3, 10.1.0.2"}}, "10.1.0.3"},
		"with a port":                                 {proxy, http.Header{"X-Forwarded-For": {"192.0.2.1:55555"}}, "192.0.2.1"},
		"with a port over IPv6":                       {proxy, http.Header{"X-Forwarded-For": {"[2001:db8::1]:55555"}}, "2001:db8::1"},
		"with a zone":                                 {proxy, http.Header{"X-Forwarded-For": {"fe80:0::1%x, 2001:db8::1%y"}}, "2001:db8::1"},
		"what is no address: the proxy that wrote it": {proxy, http.Header{"X-Forwarded-For": {"192.0.2.1, unknown, 10.1.0.2"}}, "10.1.0.2"},
		"text for the record: the proxy":              {proxy, http.Header{"X-Forwarded-For": {"192.0.2.1\x1b[31m<script>"}}, "10.1.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewSite(Config{TrustedProxies: proxies})
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = c.peer
			for name, values := range c.sent {
				r.Header[name] = values
			}
			if got := s.clientAddress(r); got != c.want {
				t.Errorf("it is %q, want %q", got, c.want)
			}
		})
	}
	t.Run("Sec081 without proxies in the configuration nobody is believed", func(t *testing.T) {
		for _, peer := range []string{"127.0.0.1:1", "10.1.0.1:1", "[::1]:1"} {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = peer
			r.Header.Set("X-Forwarded-For", "192.0.2.1")
			if got := NewSite(Config{}).clientAddress(r); got == "192.0.2.1" {
				t.Errorf("%s is believed", peer)
			}
		}
	})
}

// FuzzClientAddress: whatever a trusted proxy passes on, the result is an
// address, and it is not one that a client wrote left of what is known.
func FuzzClientAddress(f *testing.F) {
	for _, seed := range []string{"192.0.2.1", "192.0.2.1, 10.1.0.2", "[::1]:80", "unknown", ",,", "::ffff:1.2.3.4%x"} {
		f.Add(seed)
	}
	s := NewSite(Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}})
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{RemoteAddr: "10.1.0.1:1", Header: http.Header{"X-Forwarded-For": {header}}}
		got, err := netip.ParseAddr(s.clientAddress(r))
		if err != nil || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q gives %v, %v", header, got, err)
		}
		r.Header.Set("X-Forwarded-For", header+", 192.0.2.1")
		if got := s.clientAddress(r); got != "192.0.2.1" {
			t.Fatalf("%q in front of a client gives %s", header, got)
		}
	})
}
