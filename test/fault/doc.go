// Package fault breaks what the platform stands on, and holds it to what it has
// answered: it kills the server in the middle of a commit, sets its clock back,
// fills its disk, takes its files away and stops it under load.
//
// Everything is seen from outside: the built binary, its HTTP, its commands and
// its operations listener. Engines are plugged in (engine.go); every test runs on
// each.
//
// LOOP_TEST_LONG=true (./scripts/test --long) runs the large numbers.
package fault
