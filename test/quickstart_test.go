package test

import (
	"strings"
	"testing"
)

func TestTheGoQuickstartRunsInPlainMode(t *testing.T) {
	needChromium(t)
	p := startPlatform(t)
	p.readsResults(t)
	p.verifyAudit(t)
}

// trimCallback is the address of an app whose redirect URI ends in /callback.
func trimCallback(redirectURI string) string { return strings.TrimSuffix(redirectURI, "/callback") }
