package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificateFor writes a certificate that is good for the names until so long from
// now, with its key.
func certificateFor(t *testing.T, until time.Duration, names ...string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(until)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certificate, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// exampleHosts are the names of an operator's hosts.
var exampleHosts = []string{"id.example.com", "clinical.example.com", "developers.example.com"}

// freePorts are flags by which the hosts listen where nobody does.
func freePorts(t *testing.T) []string {
	t.Helper()
	var flags []string
	for _, host := range []string{"identity", "clinical", "developers"} {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--"+host+"-listen", listener.Addr().String())
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return flags
}

func TestCheck_SaysOfEachThingThatAStartNeedsWhetherItIsThere(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	good, goodKey := certificateFor(t, 40*24*time.Hour+time.Hour, exampleHosts...)
	expired, expiredKey := certificateFor(t, -time.Hour, exampleHosts...)
	foreign, foreignKey := certificateFor(t, time.Hour, "other.example.com")
	for name, c := range map[string]struct {
		args   []string
		env    []string
		says   string
		status int
	}{
		"all is there":             {nil, nil, "ok       ports", 0},
		"a certificate":            {[]string{"--tls-certificate", good, "--tls-key", goodKey}, nil, "for 40 days more", 0},
		"an expired certificate":   {[]string{"--tls-certificate", expired, "--tls-key", expiredKey}, nil, "MISSING  certificate", 1},
		"another's certificate":    {[]string{"--tls-certificate", foreign, "--tls-key", foreignKey}, nil, "it is not for id.example.com", 1},
		"a key of another":         {[]string{"--tls-certificate", good, "--tls-key", foreignKey}, nil, "are no pair", 1},
		"a port that is taken":     {[]string{"--operations-listen", taken.Addr().String()}, nil, "choose another", 1},
		"a folder that is a file":  {[]string{"--dir", good}, nil, "is a file: name a folder", 1},
		"a database that is away":  {[]string{"--database", "postgres://nobody@127.0.0.1:1/loop"}, nil, "MISSING  database", 1},
		"a mail server that isn't": {[]string{"--smtp-server", "127.0.0.1:1", "--smtp-tls", "none", "--smtp-from", "Loop <no-reply@example.com>"}, nil, "mails wait until it can", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOperator(t)
			out, faults, status := o.try(append(append([]string{"serve", "--check"}, freePorts(t)...), c.args...)...)
			if status != c.status || !strings.Contains(out, c.says) {
				t.Errorf("status %d:\n%s%s", status, out, faults)
			}
		})
	}
}

func TestCheck_ChangesNothing(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	folder := filepath.Join(t.TempDir(), "made by a start")
	out, faults, status := o.try(append([]string{"serve", "--check", "--dir", folder}, freePorts(t)...)...)
	if _, err := os.Stat(folder); status != 0 || !os.IsNotExist(err) {
		t.Errorf("status %d, the folder: %v\n%s%s", status, err, out, faults)
	}
}
