package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// resourcesKey is the one key of the file that is no text: a list of tables.
const resourcesKey = "resources"

// readResources reads the resource servers outside this platform:
//
//	[[resources]]
//	identifier = "https://api.partner.example"
//	scopes = ["read:orders", "write:orders"]
//	format = "jwt" # or opaque, which is the default
func readResources(value any) ([]loop.Resource, error) {
	tables, ok := value.([]map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s must be tables: [[%s]] with identifier, scopes and format", resourcesKey, resourcesKey)
	}
	var (
		resources []loop.Resource
		faults    []error
	)
	for i, table := range tables {
		resource, err := readResource(table)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s, number %d: %w", resourcesKey, i+1, err))
		}
		if slices.ContainsFunc(resources, func(r loop.Resource) bool { return r.Identifier == resource.Identifier }) {
			faults = append(faults, fmt.Errorf("%s: %s is there twice", resourcesKey, resource.Identifier))
		}
		resources = append(resources, resource)
	}
	return resources, errors.Join(faults...)
}

func readResource(table map[string]any) (loop.Resource, error) {
	resource := loop.Resource{Format: loop.FormatOpaque}
	var faults []error
	for key, value := range table {
		switch key {
		case "identifier":
			resource.Identifier, _ = value.(string)
		case "format":
			text, _ := value.(string)
			resource.Format = loop.TokenFormat(text)
		case "scopes":
			names, _ := value.([]any)
			for _, one := range names {
				name, _ := one.(string)
				resource.Scopes = append(resource.Scopes, name)
			}
		default:
			faults = append(faults, fmt.Errorf("there is no key %s; the keys are identifier, scopes and format", key))
		}
	}
	if !loop.ValidResource(resource.Identifier) {
		faults = append(faults, errors.New("the identifier must be an absolute URI without a fragment, such as https://api.partner.example"))
	}
	if resource.Format != loop.FormatOpaque && resource.Format != loop.FormatJWT {
		faults = append(faults, errors.New("the format is opaque or jwt"))
	}
	for _, name := range resource.Scopes {
		if _, ours := loop.Scope(name).Info(); ours || !loop.ValidScopeName(name) {
			faults = append(faults, fmt.Errorf("%q can't be a scope there: scopes are words of printable ASCII, and none of this platform's own", name))
		}
	}
	return resource, errors.Join(faults...)
}

// ifGiven reads a setting that may be left out.
func ifGiven(text string, read func() error) error {
	if text == "" {
		return nil
	}
	return read()
}

// readAuthorities reads the certificates that stand behind those of clients.
func readAuthorities(pool **x509.CertPool, path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the operator names it
	if err != nil {
		return err
	}
	*pool = x509.NewCertPool()
	if !(*pool).AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return nil
}

func readAge(age *time.Duration, text string) error {
	read, err := time.ParseDuration(text)
	if err != nil || read < time.Minute {
		return fmt.Errorf("%q is not a time of at least a minute, such as 15m or 12h", text)
	}
	*age = read
	return nil
}

// agreeOnCertificates: where clients with certificates are reached, and who
// proves them, go together.
func (c *config) agreeOnCertificates() error {
	m := c.Mutual
	switch {
	case m.Listen == "" && m.Header == "" && (m.Identity != nil || m.Clinical != nil || m.Authorities != nil):
		return errors.New("identity_mtls_url, clinical_mtls_url and mtls_authorities need a listener (mtls_listen) or a proxy that hands certificates on (mtls_header)")
	case (m.Listen != "" || m.Header != "") && m.Identity == nil:
		return errors.New("identity_mtls_url is missing: where clients with a certificate reach identity")
	case m.Listen != "" && m.Header != "":
		return errors.New("mtls_listen and mtls_header can't both be: either the platform asks for certificates, or a proxy does")
	case m.Listen != "" && c.TLSCertificate == "":
		return errors.New("mtls_listen needs tls_certificate and tls_key: without TLS nobody can ask for a certificate")
	case m.Header != "" && len(c.TrustedProxies) == 0:
		return errors.New("mtls_header needs trusted_proxies: from anybody else, the header proves nothing")
	case m.Listen != "" && (m.Listen == c.Identity.Listen || m.Listen == c.Clinical.Listen || m.Listen == c.Developers.Listen):
		return errors.New("mtls_listen needs an address of its own, or browsers would ask members for a certificate")
	}
	return nil
}
