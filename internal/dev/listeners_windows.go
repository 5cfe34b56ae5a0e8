package dev

import (
	"errors"

	"golang.org/x/sys/windows"
)

// errAddressInUse is what the system says of a taken port.
const errAddressInUse = windows.WSAEADDRINUSE

// noSuchAddress: the machine has no such loopback address, or not the family.
func noSuchAddress(err error) bool {
	return errors.Is(err, windows.WSAEADDRNOTAVAIL) || errors.Is(err, windows.WSAEAFNOSUPPORT)
}
