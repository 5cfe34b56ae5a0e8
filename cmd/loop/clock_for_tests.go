//go:build loop_test_clock

package main

import (
	"os"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// machine is the machine with a clock that a test of the whole system sets. It is
// in no build but that test's own.
func machine() loop.World { return shifted{} }

type shifted struct{ loop.Machine }

// Now is the machine's time, shifted by the duration in the file that
// LOOP_TEST_CLOCK names.
func (s shifted) Now() time.Time {
	now := s.Machine.Now()
	text, err := os.ReadFile(os.Getenv("LOOP_TEST_CLOCK"))
	if err != nil {
		return now
	}
	by, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		return now
	}
	return now.Add(by)
}
