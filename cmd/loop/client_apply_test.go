package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoop_AFileOfAppsIsAppliedWithAServerAndWithout: by the command line's own process
// and then by the server, which may not see the file.
func TestLoop_AFileOfAppsIsAppliedWithAServerAndWithout(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	path := writeFile(t, "clients.toml", "[labs]\nclient_name = \"Morning Labs\"\nredirect_uris = [\"https://app.example.com/cb\"]\n")
	if out, says, status := o.try("client", "apply", "-f", path, "--check"); status != 1 || !strings.Contains(out, "labs would be made") || !strings.Contains(says, "1 of 1 apps are not as "+path) {
		t.Errorf("a check: status %d: %s%s", status, out, says)
	}
	if out := o.do("client", "apply", "-f", path); strings.Count(out, "client secret: secret_") != 1 || !strings.Contains(out, "is made") || !strings.Contains(out, "not shown again") {
		t.Errorf("making it says %s", out)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := o.serve(ctx)
	if out := o.do("client", "apply", "-f", path, "--check"); !strings.Contains(out, "is as it should be") || strings.Contains(out, "client secret:") {
		t.Errorf("a server says %s", out)
	}
	path = writeFile(t, "clients.toml", "[labs]\nclient_name = \"Morning Labs\"\nredirect_uris = [\"https://app.example.com/cb?a=1&b=2\"]\n")
	if out := o.do("client", "apply", "-f", path); !strings.Contains(out, `redirect_uris: ["https://app.example.com/cb"] -> ["https://app.example.com/cb?a=1&b=2"]`) {
		t.Errorf("a change by the server says %s", out)
	}
	stop()
	if err := <-stopped; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, says, status := o.try("client", "apply", "-f", filepath.Join(t.TempDir(), "none")); status != 1 || !strings.Contains(says, "the file of clients can't be read") {
		t.Errorf("no file: status %d: %s", status, says)
	}
	if _, says, status := o.try("client", "apply", "-f", "-"); status != 1 || !strings.Contains(says, "names no app") {
		t.Errorf("an empty input: status %d: %s", status, says)
	}
}
