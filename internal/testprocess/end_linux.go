package testprocess

import (
	"os/exec"
	"syscall"
)

// EndWithParent has a program receive the signal when the process that starts it
// has ended, however that ended. Call it before Start.
//
// The kernel counts the thread that started the program as its parent (prctl(2),
// PR_SET_PDEATHSIG). Go keeps its threads, except one whose goroutine ends while
// runtime.LockOSThread holds it: start no program from such a goroutine.
func EndWithParent(cmd *exec.Cmd, how syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = how
}
