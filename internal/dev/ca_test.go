package dev

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const testDomain = "platform.loop.health"

// newAuthority makes the authority of a folder of its own.
func newAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := OpenAuthority(t.TempDir(), testDomain, newWorld())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthority_IsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	first := newAuthority(t)
	folder := filepath.Dir(first.path)
	again, err := OpenAuthority(folder, testDomain, newWorld())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.PEM(), again.PEM()) {
		t.Error("opening the authority again gave another one")
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, name := range []string{authorityFile, authorityKeyFile} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v; want mode 600", name, info.Mode(), err)
		}
	}
}

func TestAuthority_VouchesForItsDomainAlone(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)

	for name, test := range map[string]struct {
		host string
		sans x509.Certificate
		good bool
	}{
		"a host of the domain":               {"identity.platform.loop.health", x509.Certificate{DNSNames: []string{"identity.platform.loop.health"}}, true},
		"RFC 5280 §4.2.1.10 another domain":  {"www.example.com", x509.Certificate{DNSNames: []string{"www.example.com"}}, false},
		"a name that only ends alike":        {"evilplatform.loop.health", x509.Certificate{DNSNames: []string{"evilplatform.loop.health"}}, false},
		"the domain above":                   {"loop.health", x509.Certificate{DNSNames: []string{"loop.health"}}, false},
		"an address of IPv4":                 {"127.0.0.1", x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, false},
		"an address of IPv6":                 {"::1", x509.Certificate{IPAddresses: []net.IP{net.IPv6loopback}}, false},
		"a host of the domain and a foreign": {"identity.platform.loop.health", x509.Certificate{DNSNames: []string{"identity.platform.loop.health", "example.com"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaf := issueForTest(t, a, test.sans)
			_, err := leaf.Verify(x509.VerifyOptions{DNSName: test.host, Roots: roots})
			if (err == nil) != test.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAuthority_CanMakeNoAuthority(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	if !a.cert.MaxPathLenZero || a.cert.MaxPathLen != 0 || !a.cert.PermittedDNSDomainsCritical {
		t.Errorf("path length %d (zero: %v), names critical: %v", a.cert.MaxPathLen, a.cert.MaxPathLenZero, a.cert.PermittedDNSDomainsCritical)
	}
	if life := a.cert.NotAfter.Sub(a.cert.NotBefore); life < 9*365*24*time.Hour {
		t.Errorf("it lives %s", life)
	}
}

// issueForTest signs what the authority itself would not.
func issueForTest(t *testing.T, a *Authority, sans x509.Certificate) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sans.SerialNumber, sans.NotBefore, sans.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	leaf, err := sign(&sans, a.cert, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestAuthority_RefusesWhatIsDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, folder string){
		"the key is gone":         func(t *testing.T, folder string) { remove(t, folder, authorityKeyFile) },
		"the certificate is gone": func(t *testing.T, folder string) { remove(t, folder, authorityFile) },
		"the key is cut off":      func(t *testing.T, folder string) { truncate(t, folder, authorityKeyFile) },
		"the certificate is junk": func(t *testing.T, folder string) { truncate(t, folder, authorityFile) },
		"the key is another's": func(t *testing.T, folder string) {
			other := newAuthority(t)
			text, err := os.ReadFile(filepath.Join(filepath.Dir(other.path), authorityKeyFile))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, authorityKeyFile), text, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Dir(newAuthority(t).path)
			damage(t, folder)
			_, err := OpenAuthority(folder, testDomain, newWorld())
			if err == nil || !strings.Contains(err.Error(), "delete ") {
				t.Errorf("got %v, want a sentence that says what to delete", err)
			}
		})
	}
	t.Run("it was made for another domain", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Dir(newAuthority(t).path)
		if _, err := OpenAuthority(folder, "example.health", newWorld()); err == nil {
			t.Error("it was taken")
		}
	})
	t.Run("it runs out before a new certificate would", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Dir(newAuthority(t).path)
		later := &testWorld{now: time.Now().Add(authorityLife)}
		if _, err := OpenAuthority(folder, testDomain, later); err == nil {
			t.Error("it was taken")
		}
	})
}

func remove(t *testing.T, folder, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(folder, name)); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, folder, name string) {
	t.Helper()
	if err := os.Truncate(filepath.Join(folder, name), 60); err != nil {
		t.Fatal(err)
	}
}

func TestAuthority_ServesTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	const host = "clinical.platform.loop.health"
	config, err := a.TLS("identity.platform.loop.health", host)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	for name, test := range map[string]struct {
		client *tls.Config
		good   bool
	}{
		"TLS 1.3":                             {&tls.Config{MinVersion: tls.VersionTLS13}, true},
		"TLS 1.2":                             {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"RFC 9325 §3.1.1 TLS 1.1 is refused":  {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		"RFC 9325 §4.1 CBC alone is refused":  {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
		"RFC 9325 §4.2 AEAD with ECDHE alone": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := test.client.Clone()
			client.RootCAs, client.ServerName = roots, host
			state, err := shakeHands(t, config, client)
			if (err == nil) != test.good {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			if sent := len(state.PeerCertificates); sent != 2 {
				t.Errorf("%d certificates were sent, want the host's and the authority's", sent)
			}
			if leaf := state.PeerCertificates[0]; leaf.NotAfter.Sub(leaf.NotBefore) > 398*24*time.Hour || len(leaf.DNSNames) != 1 {
				t.Errorf("the certificate is for %v until %s", leaf.DNSNames, leaf.NotAfter)
			}
			hash := sha256.Sum256(state.PeerCertificates[1].RawSubjectPublicKeyInfo)
			want := base64.StdEncoding.EncodeToString(hash[:])
			if got, err := keyHashOf(a.path); err != nil || got != want {
				t.Errorf("the hash of the key is %s, %v, want %s", got, err, want)
			}
		})
	}
}

func shakeHands(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = tls.Server(theirs, server).HandshakeContext(t.Context())
		_ = theirs.Close()
	}()
	conn := tls.Client(ours, client)
	err := conn.HandshakeContext(t.Context())
	_ = ours.Close()
	<-served
	return conn.ConnectionState(), err
}

// Python from 3.13 on checks certificates strictly, and others will follow.
func TestAuthority_PassesOpenSSLsStrictCheck(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("left out: there is no openssl")
	}
	a := newAuthority(t)
	leaf, err := a.issue("identity.platform.loop.health")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "leaf.pem")
	if err := os.WriteFile(path, pemOf(leaf.Certificate[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), openssl, "verify", "-x509_strict", "-purpose", "sslserver",
		"-verify_hostname", "identity.platform.loop.health", "-CAfile", a.path, path).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
