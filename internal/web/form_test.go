package web

import (
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func TestParameters_WhatNobodyReadsRefusesNothing(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"a raw semicolon":  "a;b",
		"a broken escape":  "50%off",
		"half an escape":   "x%2",
		"Latin-1":          "M%FCller",
		"raw Latin-1":      "M\xfcller",
		"a NUL":            "a%00b",
		"half a character": "%C3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, encoded := range []string{"utm=" + bad + "&scope=openid", "scope=openid&" + bad + "=1", bad + "&scope=openid&&"} {
				values, err := parseParameters(encoded, []string{"scope", "state"})
				if err != nil || values.Get("scope") != "openid" || len(values) != 1 {
					t.Errorf("%q is read as %v, %v", encoded, values, err)
				}
				if _, err := parseParameters(encoded, nil); loop.AsError(err).Code != loop.InvalidRequest {
					t.Errorf("%q, where everything is read: %v", encoded, err)
				}
			}
			_, err := parseParameters("scope=openid&state="+bad, []string{"scope", "state"})
			if e := loop.AsError(err); err == nil || e.Code != loop.InvalidRequest || e.Field != "state" || !strings.Contains(e.Description, "The state") {
				t.Errorf("in a parameter that is read: %v", err)
			}
		})
	}
	if _, err := parseParameters(strings.Repeat("x=%&", maxParameters)+"scope=openid", []string{"scope"}); err == nil {
		t.Error("any number of parameters that nobody reads is taken")
	}
}
