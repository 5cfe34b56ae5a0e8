//go:build unix && !linux

package testprocess

import (
	"os/exec"
	"syscall"
)

// EndWithParent does nothing here: only Linux can signal a program when its parent
// has ended.
func EndWithParent(*exec.Cmd, syscall.Signal) {}
