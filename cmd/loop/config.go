package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/limit/shared"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
)

// config is what `loop serve` runs with.
type config struct {
	Dir                            string
	Role                           platform.Role
	Database                       string // postgres://…; empty: SQLite in Dir
	Connections                    int
	Identity, Clinical, Developers role
	TLSCertificate, TLSKey         string // both or neither
	Master                         *credential.Master
	SignUpsPerHour                 int
	Unlimited                      bool            // for benchmarks
	LimitStore                     string          // redis://…; empty: each process counts for itself
	TrustedProxies                 []netip.Prefix  // whose X-Forwarded-For is believed
	Resources                      []loop.Resource // outside this platform
	Mutual                         mutual
	FetchHosts                     []string      // that may be fetched from at loopback addresses
	SignInMaxAge                   time.Duration // for reads of health data; 0: any
	OperationsListen               string        // empty: nowhere
	LogLevel                       slog.Level
	masterText, masterFile         string // as they were given
}

// mutual is how clients with a certificate reach the platform (RFC 8705): on a
// listener of its own, or through a proxy that hands their certificates on.
type mutual struct {
	Listen             string // empty: nowhere
	Header             string // by which a trusted proxy hands certificates on; empty: none
	Identity, Clinical *url.URL
	Authorities        *x509.CertPool // of tls_client_auth; nil: none
}

// role is one public host: its address for the world, and where it listens.
type role struct {
	URL    *url.URL
	Listen string
}

// setting is one key of the configuration: its name in the file, its variable
// and how its text is read.
type setting struct {
	name     string
	fallback string
	secret   bool // only from the environment: a file and a command line are seen by others
	read     func(c *config, text string) error
}

func (s setting) variable() string { return "LOOP_" + strings.ToUpper(s.name) }

// settings are all keys. A new one is a new row.
var settings = []setting{
	{name: "dir", read: func(c *config, text string) error { return required(&c.Dir, text, "the folder of the platform's data") }},
	{name: "role", fallback: string(platform.RoleAll), read: func(c *config, text string) error { return readRole(&c.Role, text) }},
	{name: "database", read: func(c *config, text string) error {
		return ifGiven(text, func() error { return readDatabase(&c.Database, text) })
	}},
	{name: "connections", fallback: "8", read: func(c *config, text string) error { return readCount(&c.Connections, text) }},
	{name: "identity_url", read: func(c *config, text string) error { return readURL(&c.Identity.URL, text) }},
	{name: "clinical_url", read: func(c *config, text string) error { return readURL(&c.Clinical.URL, text) }},
	{name: "developers_url", read: func(c *config, text string) error { return readURL(&c.Developers.URL, text) }},
	{name: "identity_listen", fallback: "127.0.0.1:8000", read: func(c *config, text string) error { return readListen(&c.Identity.Listen, text) }},
	{name: "clinical_listen", fallback: "127.0.0.1:8001", read: func(c *config, text string) error { return readListen(&c.Clinical.Listen, text) }},
	{name: "developers_listen", fallback: "127.0.0.1:8002", read: func(c *config, text string) error { return readListen(&c.Developers.Listen, text) }},
	{name: "tls_certificate", read: func(c *config, text string) error { c.TLSCertificate = text; return nil }},
	{name: "tls_key", read: func(c *config, text string) error { c.TLSKey = text; return nil }},
	{name: "master_key", secret: true, read: func(c *config, text string) error { c.masterText = text; return nil }},
	{name: "master_key_file", read: func(c *config, text string) error { c.masterFile = text; return nil }},
	{name: "sign_ups_per_hour", fallback: "20", read: func(c *config, text string) error { return readCount(&c.SignUpsPerHour, text) }},
	{name: "limits", fallback: "on", read: func(c *config, text string) error { return readLimits(c, text) }},
	{name: "trusted_proxies", read: func(c *config, text string) error { return readPrefixes(&c.TrustedProxies, text) }},
	{name: "mtls_listen", read: func(c *config, text string) error {
		return ifGiven(text, func() error { return readListen(&c.Mutual.Listen, text) })
	}},
	{name: "mtls_header", read: func(c *config, text string) error { c.Mutual.Header = text; return nil }},
	{name: "identity_mtls_url", read: func(c *config, text string) error {
		return ifGiven(text, func() error { return readURL(&c.Mutual.Identity, text) })
	}},
	{name: "clinical_mtls_url", read: func(c *config, text string) error {
		return ifGiven(text, func() error { return readURL(&c.Mutual.Clinical, text) })
	}},
	{name: "mtls_authorities", read: func(c *config, text string) error {
		return ifGiven(text, func() error { return readAuthorities(&c.Mutual.Authorities, text) })
	}},
	{name: "fetch_allowed_hosts", read: func(c *config, text string) error {
		c.FetchHosts = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
		return nil
	}},
	{name: "sign_in_max_age", read: func(c *config, text string) error {
		return ifGiven(text, func() error { return readAge(&c.SignInMaxAge, text) })
	}},
	{name: "operations_listen", read: func(c *config, text string) error {
		return ifGiven(text, func() error { return readListen(&c.OperationsListen, text) })
	}},
	{name: "log_level", fallback: "info", read: func(c *config, text string) error { return c.LogLevel.UnmarshalText([]byte(text)) }},
}

// readConfig reads the configuration: flags, then the environment, then the
// file. All faults are told at once, joined.
func readConfig(flags serveFlags, env dev.Environment) (*config, error) {
	c := &config{}
	given, err := c.layers(flags, env)
	faults := []error{err}
	for _, s := range settings {
		text, ok := given[s.name]
		if !ok {
			text = s.fallback
		}
		if err := s.read(c, text); err != nil {
			faults = append(faults, fmt.Errorf("%s (%s): %w", s.name, s.variable(), err))
		}
	}
	faults = append(faults, c.readMaster(), c.agree())
	return c, errors.Join(faults...)
}

// databaseOf reads the one key that says where the database is; empty: it is on
// SQLite.
func databaseOf(flags serveFlags, env dev.Environment) (address string, err error) {
	given, err := (&config{}).layers(flags, env)
	if err == nil && given["database"] != "" {
		err = readDatabase(&address, given["database"])
	}
	return address, err
}

// layers puts the sources over one another and refuses keys that nobody knows.
func (c *config) layers(flags serveFlags, env dev.Environment) (map[string]string, error) {
	given, fileErr := c.readFile(flags.Config)
	envErr := unknownVariables(env)
	for _, s := range settings {
		if text := env.Get(s.variable()); text != "" {
			given[s.name] = text
		}
	}
	for name, text := range flags.values() {
		if text != "" {
			given[name] = text
		}
	}
	return given, errors.Join(fileErr, envErr)
}

// readFile reads the configuration file, where there is one.
func (c *config) readFile(path string) (map[string]string, error) {
	given := make(map[string]string)
	if path == "" {
		return given, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // G304: the operator names it
	if err != nil {
		return given, fmt.Errorf("the configuration file can't be read: %w", err)
	}
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		return given, fmt.Errorf("the configuration file %s is not TOML: %w", path, err)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
		if name == resourcesKey {
			var err error
			c.Resources, err = readResources(values[name])
			faults = append(faults, err)
			continue
		}
		switch value := values[name].(type) {
		case string, int64:
			if at < 0 {
				faults = append(faults, fmt.Errorf("%s: there is no key %s; the keys are %s", path, name, settingNames()))
			} else if settings[at].secret {
				faults = append(faults, fmt.Errorf("%s: a secret does not belong in this file: set %s, or put it in a file of its own and name that in %s_file", path, settings[at].variable(), name))
			} else {
				given[name] = fmt.Sprint(value)
			}
		default:
			faults = append(faults, fmt.Errorf("%s: %s must be a text or a number, at the file's top level", path, name))
		}
	}
	return given, errors.Join(faults...)
}

func settingNames() string {
	names := []string{resourcesKey}
	for _, s := range settings {
		if !s.secret {
			names = append(names, s.name)
		}
	}
	return strings.Join(names, ", ")
}

// unknownVariables refuses LOOP_ variables that nobody reads, which are mostly
// typos. Those of an app's environment and of the tests mean something elsewhere.
func unknownVariables(env dev.Environment) error {
	var faults []error
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		known := slices.ContainsFunc(settings, func(s setting) bool { return s.variable() == name })
		elsewhere := slices.ContainsFunc([]string{"LOOP_CLIENT_", "LOOP_REDIRECT_URI", "LOOP_MEMBER", "LOOP_DEVELOPER_", "LOOP_TEST_", "LOOP_VULNDB"},
			func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if strings.HasPrefix(name, "LOOP_") && !known && !elsewhere {
			faults = append(faults, fmt.Errorf("the environment sets %s, which nothing reads: correct or unset it", name))
		}
	}
	return errors.Join(faults...)
}

func required(field *string, text, what string) error {
	if *field = text; text == "" {
		return fmt.Errorf("is missing: %s", what)
	}
	return nil
}

// readURL reads a public address: an origin and nothing more, since the issuer is
// compared byte for byte. Without TLS only this machine is served.
func readURL(field **url.URL, text string) error {
	if text == "" {
		return errors.New("is missing: the public address, such as https://host.example.com")
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.Hostname() == "" || text != parsed.Scheme+"://"+strings.ToLower(parsed.Host) {
		return fmt.Errorf("%q is not an origin: write scheme and host in lower case, with no path and no slash at the end", text)
	}
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !isLoopback(parsed.Hostname())) {
		return fmt.Errorf("%q must be https: http is for localhost alone", text)
	}
	*field = parsed
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func readRole(field *platform.Role, text string) error {
	roles := []platform.Role{platform.RoleIdentity, platform.RoleClinical, platform.RoleDevelopers, platform.RoleAll}
	if !slices.Contains(roles, platform.Role(text)) {
		return fmt.Errorf("%q is no role: it is one of %q", text, roles)
	}
	*field = platform.Role(text)
	return nil
}

// readDatabase checks the form alone: the address holds a password, and no error
// repeats it.
func readDatabase(field *string, text string) error {
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		return errors.New("is not the address of a PostgreSQL database: write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full")
	}
	*field = text
	return nil
}

func readListen(field *string, text string) error {
	_, port, err := net.SplitHostPort(text)
	number, numberErr := strconv.ParseUint(port, 10, 16)
	if err != nil || numberErr != nil || number == 0 {
		return fmt.Errorf("%q is not an address to listen on: write host:port, such as 127.0.0.1:8000", text)
	}
	*field = text
	return nil
}

func readCount(field *int, text string) error {
	number, err := strconv.Atoi(text)
	if err != nil || number < 1 {
		return fmt.Errorf("%q is not a number of at least 1", text)
	}
	*field = number
	return nil
}

// readLimits reads whether there are limits, and where they are counted. The address
// may hold a password: no error repeats it.
func readLimits(c *config, text string) error {
	if strings.HasPrefix(text, "redis://") || strings.HasPrefix(text, "rediss://") {
		c.LimitStore = text
		return shared.Check(text)
	}
	if err := readSwitch(&c.Unlimited, text); err != nil {
		return fmt.Errorf("%w, nor an address redis://…", err)
	}
	return nil
}

// readSwitch reads on or off.
func readSwitch(off *bool, text string) error {
	if text != "on" && text != "off" {
		return errors.New("it is neither on nor off")
	}
	*off = text == "off"
	return nil
}

// readPrefixes reads networks, with commas between; one address is a network,
// too. Every fault is told.
func readPrefixes(field *[]netip.Prefix, text string) error {
	if text == "" {
		return nil
	}
	var faults []string
	for part := range strings.SplitSeq(text, ",") {
		prefix, err := readPrefix(strings.TrimSpace(part))
		if err != nil {
			faults = append(faults, err.Error())
		}
		*field = append(*field, prefix)
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

// readMaster reads the master key, from its variable or its file.
func (c *config) readMaster() error {
	text := c.masterText
	switch {
	case text != "" && c.masterFile != "":
		return errors.New("the master key is given twice: set LOOP_MASTER_KEY or master_key_file, not both")
	case text == "" && c.masterFile == "":
		return errors.New("the master key is missing: set LOOP_MASTER_KEY, or name a file that holds it in master_key_file; `openssl rand -base64 32` makes one")
	case text == "":
		read, err := os.ReadFile(c.masterFile)
		if err != nil {
			return fmt.Errorf("the master key can't be read: %w", err)
		}
		text = string(read)
	}
	master, err := credential.ParseMaster(text)
	c.Master = master
	return err
}

// advice is what an operator may have overlooked; empty where there is nothing.
func (c *config) advice() string {
	if c.Identity.URL.Scheme == "https" && c.TLSCertificate == "" && len(c.TrustedProxies) == 0 {
		return "a proxy in front ends TLS, but trusted_proxies names none: all requests seem to come from it, and share the limits of one address"
	}
	return ""
}

// agree checks what the settings say together.
func (c *config) agree() error {
	faults := []error{c.agreeOnCertificates()}
	if (c.TLSCertificate == "") != (c.TLSKey == "") {
		faults = append(faults, errors.New("tls_certificate and tls_key go together: give both, or neither where a proxy in front ends TLS"))
	}
	if c.Role != platform.RoleAll && c.Role != "" && c.Database == "" {
		faults = append(faults, fmt.Errorf("role is %s, and no database is named: on SQLite one process serves all", c.Role))
	}
	seen := make(map[string]bool)
	for _, address := range []*url.URL{c.Identity.URL, c.Clinical.URL, c.Developers.URL, c.Mutual.Identity, c.Mutual.Clinical} {
		if address == nil {
			continue
		}
		if seen[address.Host] {
			faults = append(faults, fmt.Errorf("two roles have the address %s: each needs a host or port of its own", address))
		}
		seen[address.Host] = true
	}
	return errors.Join(faults...)
}
