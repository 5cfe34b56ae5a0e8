package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/limit/shared"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
)

// The types of values. Each reads its own text and says what is wrong with it.

// origin is a public address: scheme and host and nothing more, since the issuer is
// compared byte for byte. Without TLS only this machine is served.
type origin struct{ *url.URL }

// UnmarshalText reads an origin.
func (o *origin) UnmarshalText(text []byte) error {
	parsed, err := url.Parse(string(text))
	if err != nil || parsed.Host == "" || parsed.Hostname() == "" || string(text) != parsed.Scheme+"://"+strings.ToLower(parsed.Host) {
		return fmt.Errorf("%q is not an origin: write scheme and host in lower case, with no path and no slash at the end", text)
	}
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !isLoopback(parsed.Hostname())) {
		return fmt.Errorf("%q must be https: http is for localhost alone", text)
	}
	parsed.Host = withoutDefaultPort(parsed)
	o.URL = parsed
	return nil
}

// withoutDefaultPort is the host as browsers send it and as an issuer is written.
func withoutDefaultPort(address *url.URL) string {
	return strings.TrimSuffix(address.Host, map[string]string{"https": ":443", "http": ":80"}[address.Scheme])
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// databaseAddress is the address of a PostgreSQL database; empty: SQLite.
type databaseAddress string

// UnmarshalText checks the form alone: the address holds a password, and no error
// repeats it.
func (d *databaseAddress) UnmarshalText(text []byte) error {
	scheme, _, _ := strings.Cut(string(text), "://")
	if known := []string{"postgres", "postgresql"}; !slices.Contains(known, scheme) {
		return fmt.Errorf("it begins with no postgres://%s: write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full", loop.Suggestion(scheme, known))
	}
	*d = databaseAddress(text)
	return nil
}

// listenAddress is host:port; empty: nowhere.
type listenAddress string

// UnmarshalText reads an address to listen on.
func (l *listenAddress) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	number, numberErr := strconv.ParseUint(port, 10, 16)
	if err != nil || numberErr != nil || number == 0 {
		return fmt.Errorf("%q is not an address to listen on: write host:port, such as 127.0.0.1:8000", text)
	}
	*l = listenAddress(text)
	return nil
}

// contactAddress is where somebody is written to: mailto: or an https page; empty: nowhere.
type contactAddress string

// UnmarshalText reads the address of a contact.
func (c *contactAddress) UnmarshalText(text []byte) error {
	address, err := url.Parse(string(text))
	isMail := err == nil && address.Scheme == "mailto" && strings.Contains(address.Opaque, "@")
	isPage := err == nil && address.Scheme == "https" && address.Host != ""
	if !isMail && !isPage {
		return fmt.Errorf("%q is no contact: write mailto:NAME@HOST, or the https address of a page", text)
	}
	*c = contactAddress(address.String())
	return nil
}

// count is a number of at least 1.
type count int

// UnmarshalText reads a count.
func (c *count) UnmarshalText(text []byte) error {
	number, err := strconv.Atoi(string(text))
	if err != nil || number < 1 {
		return fmt.Errorf("%q is not a number of at least 1", text)
	}
	*c = count(number)
	return nil
}

// limits are whether requests are limited, and where they are counted.
type limits struct {
	Off   bool   // for benchmarks
	Store string // redis://…; empty: each process counts for itself
}

// UnmarshalText reads on, off or an address, which may hold a password: no error
// repeats it.
func (l *limits) UnmarshalText(text []byte) error {
	switch said := string(text); {
	case strings.HasPrefix(said, "redis://"), strings.HasPrefix(said, "rediss://"):
		l.Store = said
		return shared.Check(l.Store)
	case said == "on", said == "off":
		l.Off = said == "off"
		return nil
	}
	return errors.New("it is neither on nor off, nor an address redis://… or rediss://…")
}

// networks are networks with commas between; one address is a network, too.
type networks []netip.Prefix

// UnmarshalText reads networks. Every fault is reported.
func (n *networks) UnmarshalText(text []byte) error {
	var faults []string
	for part := range strings.SplitSeq(string(text), ",") {
		prefix, err := readPrefix(strings.TrimSpace(part))
		if err != nil {
			faults = append(faults, err.Error())
		}
		*n = append(*n, prefix)
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return nil
}

func readPrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" && !address.Is4In6() {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil, prefix.Addr().Is4In6():
		return prefix, fmt.Errorf("%q is not a network: write it as 10.1.0.0/16 or fd00:1::/32, with commas between several", text)
	case prefix.Bits() == 0:
		return prefix, fmt.Errorf("%s is everybody, and whoever is trusted chooses the address that is limited and recorded: name the proxies alone", text)
	case prefix != prefix.Masked():
		return prefix, fmt.Errorf("%s has bits behind its length: write %s for the network, or %s for the one address", text, prefix.Masked(), prefix.Addr())
	}
	return prefix, nil
}

// hostNames are names of hosts with commas or spaces between.
type hostNames []string

// UnmarshalText reads names.
func (h *hostNames) UnmarshalText(text []byte) error {
	*h = strings.FieldsFunc(string(text), func(r rune) bool { return r == ',' || r == ' ' })
	return nil
}

// onOff is on or off.
type onOff bool

// UnmarshalText reads on or off.
func (o *onOff) UnmarshalText(text []byte) error {
	if *o = string(text) == "on"; !*o && string(text) != "off" {
		return errors.New("it is neither on nor off")
	}
	return nil
}

// documentHosts are the hosts whose client ID metadata documents are taken.
type documentHosts registration.DocumentHosts

// UnmarshalText reads all, off, or names of hosts.
func (d *documentHosts) UnmarshalText(text []byte) error {
	*d = documentHosts{All: string(text) == "all"}
	if d.All || string(text) == "off" {
		return nil
	}
	var names hostNames
	if err := names.UnmarshalText(text); err != nil {
		return err
	}
	for _, name := range names {
		if id := loop.ClientID("https://" + name + "/client"); id.DocumentHost() != name || strings.Contains(name, ":") {
			return fmt.Errorf("%q is neither all, off nor the name of a host, such as example.com", name)
		}
	}
	if len(names) == 0 {
		return errors.New("it names no host: write all, off, or hosts with commas between")
	}
	d.Names = names
	return nil
}

// authorities are the certificates that stand behind those of clients; nil: none.
type authorities struct{ *x509.CertPool }

// UnmarshalText reads the certificates of a PEM file.
func (a *authorities) UnmarshalText(path []byte) error {
	text, err := os.ReadFile(string(path))
	if err != nil {
		return err
	}
	a.CertPool = x509.NewCertPool()
	if !a.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return nil
}

// age is a time of at least a minute; 0: any.
type age time.Duration

// UnmarshalText reads an age.
func (a *age) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || read < time.Minute {
		return fmt.Errorf("%q is not a time of at least a minute, such as 15m or 12h", text)
	}
	*a = age(read)
	return nil
}

// wait is a time from nothing to an hour.
type wait time.Duration

// UnmarshalText reads a wait.
func (w *wait) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || read < 0 || read > time.Hour {
		return fmt.Errorf("%q is not a time from 0s to 1h, such as 30s", text)
	}
	*w = wait(read)
	return nil
}
