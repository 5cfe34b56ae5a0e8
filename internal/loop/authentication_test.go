package loop_test

import (
	"slices"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestMethods_AsAppsReadThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		methods loop.Methods
		amr     []string
		context loop.Context
	}{
		"a password":                            {loop.ByPassword, []string{"pwd"}, loop.ContextPassword},
		"a password and a code":                 {loop.ByPassword | loop.ByOneTimeCode, []string{"pwd", "otp", "mfa"}, loop.ContextMFA},
		"a code alone is one factor":            {loop.ByOneTimeCode, []string{"otp"}, loop.ContextPassword},
		"a passkey of one device":               {loop.ByHardwareKey, []string{"hwk", "user", "mfa"}, loop.ContextPasskey},
		"a passkey that is kept in many places": {loop.BySoftwareKey, []string{"swk", "user", "mfa"}, loop.ContextPasskey},
	} {
		if got := c.methods.AMR(); !slices.Equal(got, c.amr) {
			t.Errorf("%s: amr is %q", name, got)
		}
		if got := c.methods.Context(); got != c.context {
			t.Errorf("%s: acr is %q", name, got)
		}
		if got := loop.ReadMethods(c.methods.String()); got != c.methods {
			t.Errorf("%s: %q is read as %q", name, c.methods, got)
		}
	}
}

func TestMethods_MeetEveryClassUpToTheirOwn(t *testing.T) {
	t.Parallel()
	strengths := []loop.Methods{loop.ByPassword, loop.ByPassword | loop.ByOneTimeCode, loop.BySoftwareKey}
	for i, methods := range strengths {
		for j, context := range loop.Contexts {
			if got := methods.Meet(context); got != (j <= i) {
				t.Errorf("%q meets %s: %t", methods, context, got)
			}
		}
		if methods.Meet("urn:loop:acr:none") {
			t.Errorf("%q meets a class that there isn't", methods)
		}
	}
}
