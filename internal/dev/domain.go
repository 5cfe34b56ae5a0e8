package dev

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/web"
)

// clientTimeout bounds a request that one host makes to another.
const clientTimeout = 30 * time.Second

// realNames is what serves the platform under its real names: the proxy on its
// port, and a TLS server behind the tunnels that it opens.
type realNames struct {
	proxy  *Proxy
	tls    *tls.Config
	client *http.Client // reaches the hosts from within the process, as the portal does
}

// prepareNames makes certificates and proxy; serveNames puts them to work.
func (d *Dev) prepareNames() error {
	authority, err := OpenAuthority(d.folder, d.config.Domain, d.config.World)
	if err != nil {
		return err
	}
	hosts := []string{d.layout.identity.Host, d.layout.clinical.Host, d.layout.developers.Host}
	config, err := authority.TLS(hosts...)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.cert)
	d.names = &realNames{
		proxy: NewProxy(d.layout.proxyAddress(), hosts),
		tls:   config,
		client: &http.Client{Timeout: clientTimeout, Transport: &http.Transport{
			Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: d.layout.proxyAddress()}),
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13},
			ForceAttemptHTTP2: true,
		}},
	}
	return nil
}

func (d *Dev) serveNames() {
	tunnels := d.names.proxy.Tunnels()
	d.opened(func(context.Context) error {
		d.names.client.CloseIdleConnections()
		return tunnels.Close()
	})
	identity, clinical, developers := d.platform.Hosts()
	secure := d.server(web.ByHost(map[string]http.Handler{
		d.layout.identity.Host: identity, d.layout.clinical.Host: clinical, d.layout.developers.Host: developers,
	}))
	secure.TLSConfig = d.names.tls
	d.run("the platform's hosts", func() error { return secure.ServeTLS(tunnels, "", "") })
	front := d.server(d.names.proxy)
	for _, listener := range d.layout.listeners["proxy"] {
		d.run("the proxy", func() error { return front.Serve(listener) })
	}
}
