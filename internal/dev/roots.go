package dev

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// bundleFile holds the roots in force and the local authority.
const bundleFile = "roots.pem"

// certificateVariables name a file of trusted roots: for OpenSSL and Python, for
// requests, curl, Node and pip.
var certificateVariables = []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT"}

// systemRoots are where Linux distributions, the BSDs and macOS keep their roots
// in one file, as crypto/x509 looks for them.
var systemRoots = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// writeBundle writes the roots that the given environment trusts, and the local
// authority, into one file of the state folder, and gives its path.
func writeBundle(folder string, given Environment) (string, error) {
	authority, err := os.ReadFile(filepath.Join(folder, authorityFile)) //nolint:gosec // G304: a file of our own folder
	if err != nil {
		return "", fmt.Errorf("the local certificate authority can't be read: %w", err)
	}
	var bundle bundle
	if err := bundle.addInForce(given); err != nil {
		return "", err
	}
	bundle.add(authority)
	path := filepath.Join(folder, bundleFile)
	return path, writeFile(path, bundle.pem)
}

// bundle is certificates as PEM, each text once.
type bundle struct{ pem []byte }

func (b *bundle) add(text []byte) {
	if text = bytes.TrimSpace(text); !bytes.Contains(b.pem, text) {
		b.pem = append(append(b.pem, text...), '\n')
	}
}

// addInForce adds what a program would trust now: SSL_CERT_FILE, else the
// system's roots, and whatever else the environment names.
func (b *bundle) addInForce(env Environment) error {
	if env.Get("SSL_CERT_FILE") == "" {
		b.addSystem()
	}
	for _, name := range certificateVariables {
		if path := env.Get(name); path != "" {
			if err := b.addNamed(path); err != nil {
				return fmt.Errorf("%s names no certificates that can be read (%w): correct it, or unset it", name, err)
			}
		}
	}
	for folder := range strings.SplitSeq(env.Get("SSL_CERT_DIR"), string(filepath.ListSeparator)) {
		if err := b.addFolder(folder); folder != "" && err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("SSL_CERT_DIR names no certificates that can be read (%w): correct it, or unset it", err)
		}
	}
	return nil
}

func (b *bundle) addSystem() {
	for _, path := range systemRoots {
		if text, err := os.ReadFile(path); err == nil { //nolint:gosec // G304: a list of our own
			b.add(text)
			return
		}
	}
}

// addNamed adds the file, or the folder, that a variable names.
func (b *bundle) addNamed(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return b.addFolder(path)
	}
	text, err := os.ReadFile(path) //nolint:gosec // G304,G703: as above
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds none", path)
	}
	b.add(text)
	return nil
}

// addFolder adds the PEM files of a folder and leaves out what is none.
func (b *bundle) addFolder(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(path, entry.Name())) //nolint:gosec // G304,G703: as above
		if err == nil && bytes.Contains(text, []byte("-----BEGIN CERTIFICATE-----")) {
			b.add(text)
		}
	}
	return nil
}
