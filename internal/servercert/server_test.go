package servercert_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/servercert"
)

// certificate makes a pair for names, good from and until so long from now.
func certificate(t *testing.T, from, until time.Duration, names ...string) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "test"}, DNSNames: names, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

func write(t *testing.T, folder string, cert, key []byte) servercert.Files {
	t.Helper()
	files := servercert.Files{Certificate: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem")}
	for path, text := range map[string][]byte{files.Certificate: cert, files.Key: key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// lines is a log that says when a line came.
type lines struct {
	mu    sync.Mutex
	text  bytes.Buffer
	added chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.text.Write(p)
	l.added <- struct{}{}
	return n, err
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestOpen_SaysWhatIsWrongWithACertificate(t *testing.T) {
	t.Parallel()
	const id, clinical = "id.example.com", "clinical.example.com"
	good, goodKey := certificate(t, -time.Hour, time.Hour, id, clinical)
	_, otherKey := certificate(t, -time.Hour, time.Hour, id, clinical)
	for name, c := range map[string]struct {
		make func() (cert, key []byte)
		says string // empty: it is good
	}{
		"good":              {func() ([]byte, []byte) { return good, goodKey }, ""},
		"by a wildcard":     {func() ([]byte, []byte) { return certificate(t, -time.Hour, time.Hour, "*.example.com") }, ""},
		"expired":           {func() ([]byte, []byte) { return certificate(t, -2*time.Hour, -time.Hour, id, clinical) }, "it expired on"},
		"not yet valid":     {func() ([]byte, []byte) { return certificate(t, time.Hour, 2*time.Hour, id, clinical) }, "it is not valid before"},
		"not for every one": {func() ([]byte, []byte) { return certificate(t, -time.Hour, time.Hour, id) }, "not for clinical.example.com"},
		"another's key":     {func() ([]byte, []byte) { return good, otherKey }, "are no pair"},
		"no PEM":            {func() ([]byte, []byte) { return []byte("x"), goodKey }, "are no pair"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key := c.make()
			_, err := servercert.Open(write(t, t.TempDir(), cert, key), []string{id, clinical}, time.Now, slog.New(slog.DiscardHandler))
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("it says %v", err)
			}
		})
	}
	if _, err := servercert.Open(servercert.Files{Certificate: "nowhere.pem", Key: "nowhere"}, nil, time.Now, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "tls_certificate can't be read") {
		t.Errorf("without files it says %v", err)
	}
}

func TestWatch_TakesUpARenewedCertificateAndKeepsTheOldOneWhereTheNewIsNoGood(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cert, key := certificate(t, -time.Hour, time.Hour, "id.example.com")
	log := &lines{added: make(chan struct{}, 10)}
	server, err := servercert.Open(write(t, folder, cert, key), []string{"id.example.com"}, time.Now, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	again, ended := make(chan os.Signal), make(chan struct{})
	go func() { defer close(ended); server.Watch(ctx, again) }()
	first := server.NotAfter()

	other, otherKey := certificate(t, -time.Hour, 2*time.Hour, "other.example.com")
	write(t, folder, other, otherKey)
	again <- os.Interrupt
	<-log.added
	if !server.NotAfter().Equal(first) || !strings.Contains(log.String(), "not for id.example.com") {
		t.Errorf("a certificate for another host is taken up: %s", log)
	}
	renewed, renewedKey := certificate(t, -time.Hour, 3*time.Hour, "id.example.com")
	write(t, folder, renewed, renewedKey)
	again <- os.Interrupt
	<-log.added
	served, err := server.Get(&tls.ClientHelloInfo{ServerName: "id.example.com"})
	if err != nil || !served.Leaf.NotAfter.After(first) || !server.NotAfter().After(first) {
		t.Errorf("the renewed certificate isn't served: %v", err)
	}
	stop()
	<-ended
}
