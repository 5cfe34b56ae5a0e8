package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/store/folder"
)

// readMaster reads the master key, from its variable or its file.
func (c *config) readMaster() error {
	text := c.MasterKey
	switch {
	case text != "" && c.MasterKeyFile != "":
		return errors.New("the master key is given twice: set LOOP_MASTER_KEY or master_key_file, not both")
	case text == "" && c.MasterKeyFile == "":
		return errors.New("the master key is missing: set LOOP_MASTER_KEY, or name a file that holds it in master_key_file; `openssl rand -base64 32` makes one")
	case text == "":
		if err := folder.CheckSecret(c.MasterKeyFile); err != nil {
			return fmt.Errorf("master_key_file: %w", err)
		}
		read, err := os.ReadFile(c.MasterKeyFile)
		if err != nil {
			return fmt.Errorf("the master key can't be read: %w", err)
		}
		text = string(read)
	}
	master, err := credential.ParseMaster(text)
	c.Master = master
	return err
}

// advice is what an operator may have overlooked, a sentence each.
func (c *config) advice() (all []string) {
	if c.IdentityURL.Scheme == "https" && c.TLSCertificate == "" && len(c.TrustedProxies) == 0 {
		all = append(all, "a proxy in front ends TLS, but trusted_proxies names none: all requests seem to come from it, and share the limits of one address")
	}
	if without := c.withoutMail(); without != "" {
		all = append(all, without)
	}
	return all
}

// agree checks what the settings say together.
func (c *config) agree() error {
	faults := []error{c.agreeOnCertificates(), c.agreeOnMail()}
	if (c.TLSCertificate == "") != (c.TLSKey == "") {
		faults = append(faults, errors.New("tls_certificate and tls_key go together: give both, or neither where a proxy in front ends TLS"))
	}
	if c.Role != platform.RoleAll && c.Role != "" && c.Database == "" {
		faults = append(faults, fmt.Errorf("role is %s, and no database is named: on SQLite one process serves all", c.Role))
	}
	if c.DatabaseDirect != "" && c.Database == "" {
		faults = append(faults, errors.New("database_direct is given without database: it is the same database past the pooler that database leads through"))
	}
	seen := make(map[string]bool)
	for _, address := range []*url.URL{c.IdentityURL.URL, c.ClinicalURL.URL, c.DevelopersURL.URL, c.IdentityMTLSURL.URL, c.ClinicalMTLSURL.URL} {
		if address == nil {
			continue
		}
		if seen[address.Host] {
			faults = append(faults, fmt.Errorf("two hosts have the address %s: each needs a host or port of its own", address))
		}
		seen[address.Host] = true
	}
	return errors.Join(faults...)
}

// agreeOnCertificates: where clients with certificates are reached, and who
// proves them, go together.
func (c *config) agreeOnCertificates() error {
	switch {
	case c.MTLSListen == "" && c.MTLSHeader == "" && (c.IdentityMTLSURL.URL != nil || c.ClinicalMTLSURL.URL != nil || c.MTLSAuthorities.CertPool != nil):
		return errors.New("identity_mtls_url, clinical_mtls_url and mtls_authorities need a listener (mtls_listen) or a proxy that hands certificates on (mtls_header)")
	case (c.MTLSListen != "" || c.MTLSHeader != "") && c.IdentityMTLSURL.URL == nil:
		return errors.New("identity_mtls_url is missing: where clients with a certificate reach identity")
	case c.MTLSListen != "" && c.MTLSHeader != "":
		return errors.New("mtls_listen and mtls_header can't both be: either the platform asks for certificates, or a proxy does")
	case c.MTLSListen != "" && c.TLSCertificate == "":
		return errors.New("mtls_listen needs tls_certificate and tls_key: without TLS nobody can ask for a certificate")
	case c.MTLSHeader != "" && len(c.TrustedProxies) == 0:
		return errors.New("mtls_header needs trusted_proxies: from anybody else, the header proves nothing")
	case c.MTLSListen != "" && (c.MTLSListen == c.IdentityListen || c.MTLSListen == c.ClinicalListen || c.MTLSListen == c.DevelopersListen):
		return errors.New("mtls_listen needs an address of its own, or browsers would ask members for a certificate")
	}
	return nil
}
