package clientauth

import (
	"context"
	"crypto"
	"crypto/x509"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// provesCertificate holds a client certificate against what the client
// registered: a name in a certificate of a known authority, or the certificate's
// own key (RFC 8705 §2.1, §2.2).
func (a *Authenticator) provesCertificate(ctx context.Context, client *loop.Client, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return loop.Errorf(loop.InvalidClient, "This client authenticates with a certificate, and the connection brought none. Use the addresses in mtls_endpoint_aliases of the discovery document.")
	}
	leaf := chain[0]
	now := a.World.Now()
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return loop.Errorf(loop.InvalidClient, "The client certificate is not valid at this time. Renew it, or check your clock.")
	}
	proven := false
	switch client.Protocol.AuthMethod {
	case loop.AuthTLS:
		proven = a.certified(chain) && namedIn(leaf, &client.Protocol)
	case loop.AuthSelfSignedTLS:
		proven = a.registeredKey(ctx, client, leaf)
	}
	if !proven {
		return loop.Errorf(loop.InvalidClient, "The client certificate is not the one that this client registered. Present that one, or have the new one registered.")
	}
	return nil
}

// certified reports whether one of the authorities that the operator named
// stands behind the certificate.
func (a *Authenticator) certified(chain []*x509.Certificate) bool {
	if a.Authorities == nil {
		return false
	}
	between := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		between.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: a.Authorities, Intermediates: between, CurrentTime: a.World.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil
}

// namedIn reports whether the certificate bears the one name that was registered
// (RFC 8705 §2.1.2); distinguished names are compared in their RFC 2253 form.
func namedIn(leaf *x509.Certificate, p *loop.Protocol) bool {
	if p.TLSSANDNS != "" {
		return slices.Contains(leaf.DNSNames, p.TLSSANDNS)
	}
	return p.TLSSubjectDN != "" && leaf.Subject.String() == p.TLSSubjectDN
}

// registeredKey reports whether the certificate's key is among the client's.
func (a *Authenticator) registeredKey(ctx context.Context, client *loop.Client, leaf *x509.Certificate) bool {
	public, ok := leaf.PublicKey.(interface{ Equal(x crypto.PublicKey) bool })
	if !ok {
		return false
	}
	among := func(set jose.JSONWebKeySet) bool {
		return slices.ContainsFunc(set.Keys, func(key jose.JSONWebKey) bool { return public.Equal(key.Key) })
	}
	set, err := a.Keys.Of(ctx, client, among)
	return err == nil && among(set)
}
