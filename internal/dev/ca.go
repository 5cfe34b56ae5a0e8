package dev

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// The authority's two files in the state folder.
const (
	authorityFile    = "ca.pem"
	authorityKeyFile = "ca-key.pem"
)

// How long certificates are valid. Both begin an hour early, for a program
// whose clock is a little behind.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour // made at each start; browsers take up to 398 days
	clockSkew     = time.Hour
)

// Authority is the certificate authority of one state folder. It can vouch for
// one domain and the names beneath it, and for nothing else, even if its key
// were stolen (RFC 5280 §4.2.1.10).
type Authority struct {
	path   string
	domain string
	world  loop.World
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
}

// OpenAuthority reads the folder's authority, or makes it where there is none.
// One that is damaged, out of date or another domain's is an error that says
// what to delete; it is never replaced unasked, since browsers and programs may
// were set to trust it.
func OpenAuthority(folder, domain string, w loop.World) (*Authority, error) {
	a := &Authority{path: filepath.Join(folder, authorityFile), domain: domain, world: w}
	keyPath := filepath.Join(folder, authorityKeyFile)

	certText, certErr := os.ReadFile(a.path)
	keyText, keyErr := os.ReadFile(keyPath) //nolint:gosec // G304: a file of our own folder
	if errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist) {
		return a, a.make(keyPath)
	}
	if err := errors.Join(certErr, keyErr); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the local certificate authority can't be read: %w", err)
	}
	if err := a.parse(certText, keyText); err != nil {
		return nil, fmt.Errorf("the local certificate authority is unusable (%w): delete %s and %s, and new ones are made at the next start", err, a.path, keyPath)
	}
	return a, nil
}

func (a *Authority) make(keyPath string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the authority's key: %w", err)
	}
	now := a.world.Now()
	template := &x509.Certificate{
		SerialNumber: a.serial(),
		Subject:      pkix.Name{CommonName: "Loop development, " + a.domain, Organization: []string{"Made on this machine by loop dev"}},
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(authorityLife),

		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLen:            0,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		// A constraint on names says nothing of addresses: they are shut out too.
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{a.domain},
		ExcludedIPRanges:            []*net.IPNet{{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)}},
	}
	cert, err := sign(template, template, key, key)
	if err != nil {
		return fmt.Errorf("making the authority's certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encoding the authority's key: %w", err)
	}
	a.cert, a.key = cert, key
	if err := writeFile(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	return writeFile(a.path, a.PEM())
}

// parse reads certificate and key and checks that they are this folder's.
func (a *Authority) parse(certText, keyText []byte) error {
	certBlock, _ := pem.Decode(certText)
	keyBlock, _ := pem.Decode(keyText)
	if certBlock == nil || keyBlock == nil {
		return errors.New("one of its two files is missing or is not PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return errors.New("its certificate is damaged")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return errors.New("its key is damaged")
	}
	switch {
	case !key.PublicKey.Equal(cert.PublicKey):
		return errors.New("its key belongs to another certificate")
	case !cert.IsCA || len(cert.PermittedDNSDomains) != 1 || cert.PermittedDNSDomains[0] != a.domain:
		return fmt.Errorf("it was not made for %s", a.domain)
	case a.world.Now().Add(leafLife).After(cert.NotAfter):
		return fmt.Errorf("it runs out on %s", cert.NotAfter.Format(time.DateOnly))
	}
	a.cert, a.key = cert, key
	return nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return pemOf(a.cert.Raw) }

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// keyHash names an authority's key as Chromium's
// --ignore-certificate-errors-spki-list wants it: SHA-256 of the public key
// information, in base64.
func keyHash(cert *x509.Certificate) string {
	hash := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(hash[:])
}

// keyHashOf is the keyHash of the authority in a file, for a process that has no
// use for its key.
func keyHashOf(path string) (string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of our own folder
	if err != nil {
		return "", fmt.Errorf("the local certificate authority can't be read: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("the local certificate authority %s is damaged", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("the local certificate authority %s is damaged", path)
	}
	return keyHash(cert), nil
}

// TLS makes a server's configuration with a certificate for each of the hosts,
// each sent together with the authority's own. TLS 1.3, and 1.2 with forward
// secrecy and authenticated encryption (RFC 9325 §4.2).
func (a *Authority) TLS(hosts ...string) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
	for _, host := range hosts {
		leaf, err := a.issue(host)
		if err != nil {
			return nil, fmt.Errorf("making a certificate for %s: %w", host, err)
		}
		config.Certificates = append(config.Certificates, leaf)
	}
	return config, nil
}

// issue makes a certificate for one host. It lives in memory alone.
func (a *Authority) issue(host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := a.world.Now()
	leaf, err := sign(&x509.Certificate{
		SerialNumber: a.serial(),
		Subject:      pkix.Name{CommonName: host},
		DNSNames:     []string{host},
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}, a.cert, key, a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// serial makes a positive serial number of at most 20 octets (RFC 5280 §4.1.2.2).
func (a *Authority) serial() *big.Int {
	raw := make([]byte, 16)
	_, _ = a.world.Read(raw)
	raw[0] = raw[0]&0x7f | 0x40
	return new(big.Int).SetBytes(raw)
}

func sign(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
