package testprocess_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/testprocess"
)

// The test starts a parent, which starts a child; both are this test's own binary.
const role = "LOOP_TESTPROCESS_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "parent":
		parent()
	case "child":
		time.Sleep(time.Hour) // it is ended long before
	default:
		os.Exit(m.Run())
	}
}

func parent() {
	child := exec.Command(os.Args[0]) //nolint:noctx // it ends with this process
	child.Env = append(os.Environ(), role+"=child")
	child.Stdout = os.Stdout // held open for as long as the child lives
	testprocess.EndWithParent(child, syscall.SIGKILL)
	if err := child.Start(); err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("started\n")
	_ = child.Wait()
}

func TestEndWithParent_AKilledParentTakesItsChildAlong(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"=parent")
	testprocess.EndWithParent(cmd, syscall.SIGKILL)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close() //nolint:errcheck // it was only read
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(read)
	if line, err := out.ReadString('\n'); line != "started\n" {
		t.Fatalf("the parent says %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	ended := make(chan error, 1)
	go func() { // the pipe ends once nobody holds it any more
		_, err := io.Copy(io.Discard, out)
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(90 * time.Second):
		t.Fatal("the child has outlived its parent")
	}
}
