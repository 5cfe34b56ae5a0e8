//go:build unix

package dev

import (
	"errors"
	"syscall"
)

// errAddressInUse is what the system says of a taken port.
const errAddressInUse = syscall.EADDRINUSE

// noSuchAddress: the machine has no such loopback address, or not the family.
func noSuchAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}
