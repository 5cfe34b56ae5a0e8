//go:build unix

package postgrestest

import (
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"strconv"
	"syscall"

	"github.com/loop-health/loop/internal/testprocess"
)

// nobody is the user that servers run as where the tests run as root, which
// PostgreSQL refuses to be.
func nobody() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		found, lookup := osuser.Lookup(name)
		if lookup != nil {
			continue
		}
		if uid, err = strconv.Atoi(found.Uid); err != nil {
			return 0, 0, err
		}
		gid, err = strconv.Atoi(found.Gid)
		return uid, gid, err
	}
	return 0, 0, fmt.Errorf("there is no user postgres, and none called nobody: run the tests as a user who is not root")
}

// giveAway makes the servers' user the owner.
func giveAway(paths ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := nobody()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := os.Chown(path, uid, gid); err != nil {
			return err
		}
	}
	return nil
}

// asNobody has a program run as the servers' user, and end with this process: a test
// that is killed leaves no server behind.
func asNobody(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	testprocess.EndWithParent(cmd, syscall.SIGQUIT) // as a crash: its own processes end with it
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := nobody()
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)} //nolint:gosec // G115: ids of the system's
	return err
}
