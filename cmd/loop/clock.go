//go:build !loop_test_clock

package main

import "github.com/loop-health/loop/internal/loop"

// machine is what the platform takes from outside: clock and randomness.
func machine() loop.World { return loop.Machine{} }
