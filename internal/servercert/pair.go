package servercert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

// Files name a certificate with the chain above it, and its key, both as PEM.
type Files struct{ Certificate, Key string }

// load reads a pair and judges it: it must be good now, and for each of the names.
func (f Files) load(names []string, now time.Time) (*tls.Certificate, error) {
	certificate, err := os.ReadFile(f.Certificate)
	if err != nil {
		return nil, fmt.Errorf("tls_certificate can't be read: %w", err)
	}
	key, err := os.ReadFile(f.Key)
	if err != nil {
		return nil, fmt.Errorf("tls_key can't be read: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("tls_certificate %s and tls_key %s are no pair: %w", f.Certificate, f.Key, err)
	}
	if err := judge(pair.Leaf, names, now); err != nil {
		return nil, fmt.Errorf("tls_certificate %s: %w", f.Certificate, err)
	}
	return &pair, nil
}

// judge gives everything that is wrong with a certificate.
func judge(leaf *x509.Certificate, names []string, now time.Time) error {
	var faults []error
	switch {
	case now.Before(leaf.NotBefore):
		faults = append(faults, fmt.Errorf("it is not valid before %s: look at this machine's clock, or wait", leaf.NotBefore.UTC().Format(time.RFC3339)))
	case !now.Before(leaf.NotAfter):
		faults = append(faults, fmt.Errorf("it expired on %s: renew it", leaf.NotAfter.UTC().Format(time.RFC3339)))
	}
	for _, name := range names {
		if leaf.VerifyHostname(name) != nil {
			faults = append(faults, fmt.Errorf("it is not for %s, but for %q: get one that names every host", name, namesOf(leaf)))
		}
	}
	return errors.Join(faults...)
}

func namesOf(leaf *x509.Certificate) []string {
	names := leaf.DNSNames
	for _, address := range leaf.IPAddresses {
		names = append(names, address.String())
	}
	return names
}
