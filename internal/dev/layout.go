package dev

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
)

// layout is where everything of one instance is: its addresses and, once open,
// its listeners.
type layout struct {
	domain     string // empty: plain, on localhost
	quickstart bool
	free       bool // ports that are taken may be replaced by free ones
	ports      Ports

	identity, clinical, developers *url.URL

	listeners map[string][]net.Listener // by what is served
}

// plan decides on the addresses from what was asked for and what the folder
// remembers. Ports that are to be found have the number 0 until open.
func plan(config Config, remembered *settings) (*layout, error) {
	l := &layout{domain: config.Domain, quickstart: config.Quickstart && config.Domain == "", listeners: make(map[string][]net.Listener)}
	l.free = config.Port != nil && *config.Port == 0
	switch {
	case config.Port != nil && *config.Port != 0:
		ports, err := PortsFrom(*config.Port)
		if err != nil {
			return nil, err
		}
		l.ports = ports
	case remembered != nil:
		l.ports = remembered.Ports
	case config.Port == nil:
		l.ports, _ = PortsFrom(DefaultPort)
	}
	return l, nil
}

// served is one thing that is listened for.
type served struct {
	name  string
	port  *int
	way   string // around a taken port
	fixed bool   // what is stored in the folder names it
}

func (l *layout) served() []served {
	inbox := served{name: "inbox", port: &l.ports.Inbox, way: moveAll}
	if l.domain != "" {
		return []served{{name: "proxy", port: &l.ports.Proxy, way: moveAll}, inbox}
	}
	all := []served{
		{name: "identity", port: &l.ports.Identity, way: moveAll, fixed: true},
		{name: "clinical", port: &l.ports.Clinical, way: moveAll},
		{name: "developers", port: &l.ports.Developers, way: moveAll},
		inbox,
	}
	if l.quickstart {
		all = append(all, served{name: "quickstart", port: &l.ports.Quickstart, way: leaveQuickstart})
	}
	return all
}

// open opens all listeners, or none.
func (l *layout) open(ctx context.Context) error {
	for _, s := range l.served() {
		listeners, port, err := listen(ctx, *s.port, s.way)
		if taken := (*portTaken)(nil); errors.As(err, &taken) && l.free && !s.fixed {
			listeners, port, err = listen(ctx, 0, s.way)
		}
		if err != nil {
			l.close()
			return err
		}
		l.listeners[s.name], *s.port = listeners, port
	}
	l.address()
	return nil
}

// address names the hosts, once their ports are known.
func (l *layout) address() {
	l.identity = l.host("identity", l.ports.Identity)
	l.clinical = l.host("clinical", l.ports.Clinical)
	l.developers = l.host("developers", l.ports.Developers)
}

// close closes what nobody serves yet.
func (l *layout) close() {
	for _, listeners := range l.listeners {
		for _, listener := range listeners {
			_ = listener.Close()
		}
	}
}

// host is the public address of a role.
func (l *layout) host(role string, port int) *url.URL {
	if l.domain != "" {
		return &url.URL{Scheme: "https", Host: role + "." + l.domain}
	}
	return local(port)
}

func local(port int) *url.URL {
	return &url.URL{Scheme: "http", Host: net.JoinHostPort("localhost", strconv.Itoa(port))}
}

// proxyAddress is where the proxy is reached, by number: it must not depend on
// what a machine takes localhost for.
func (l *layout) proxyAddress() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(l.ports.Proxy))
}

// addresses are what a person or another command sees, by what is served.
func (l *layout) addresses() map[string]string {
	all := map[string]string{
		"identity":   l.identity.String(),
		"clinical":   l.clinical.String(),
		"developers": l.developers.String(),
		"inbox":      local(l.ports.Inbox).String(),
	}
	if l.domain != "" {
		all["proxy"] = "http://" + l.proxyAddress()
	}
	if l.quickstart {
		all["quickstart"] = local(l.ports.Quickstart).String()
	}
	return all
}

// redirectURIs are the app's: where the quickstart is served, and where an app
// of one's own would be, on the port that the quickstart's page uses.
func (l *layout) redirectURIs() []string {
	uris := []string{fmt.Sprintf("http://localhost:%d/callback", DefaultPort+1000)}
	if l.quickstart {
		uris = append([]string{local(l.ports.Quickstart).JoinPath("callback").String()}, uris...)
	}
	return slices.Compact(uris)
}
