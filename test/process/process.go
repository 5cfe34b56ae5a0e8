// Package process builds the platform's binary and runs programs for a test: each
// ends with the test at the latest, and what it wrote can be waited for and read.
package process

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/testprocess"
)

// Patience is how long a test waits for what should come at once. It bounds a
// failure, not a success: a loaded machine is slow, not wrong.
const Patience = 90 * time.Second

// Process is a program that a test started. It leads a process group of its
// own, so that what it forks ends with it (Flask's reloader forks). It ends with the
// test's process too, where that is killed.
type Process struct {
	Stdout, Stderr *Transcript

	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed once it has exited and all it wrote was read
}

// Start runs a program until the test ends, or until Stop.
func Start(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{name: cmd.String(), cmd: cmd, Stdout: newTranscript(), Stderr: newTranscript(), ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	testprocess.EndWithParent(cmd, syscall.SIGKILL)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	go p.watch(stdout, stderr)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s%s", p.name, Tail(p.Stdout.String()), Tail(p.Stderr.String()))
		}
	})
	return p
}

func (p *Process) watch(stdout, stderr io.Reader) {
	var readers sync.WaitGroup
	readers.Go(func() { p.Stdout.follow(stdout) })
	readers.Go(func() { p.Stderr.follow(stderr) })
	readers.Wait()
	_ = p.cmd.Wait() // its status is asked for by Stop
	close(p.ended)
}

// signal signals the whole group.
func (p *Process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// Signal signals the whole group.
func (p *Process) Signal(s syscall.Signal) { p.signal(s) }

// Kill ends the group as a power cut would, and returns when it is gone.
func (p *Process) Kill() { p.kill() }

// Ended is closed once the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// kill ends the group, unless it has ended: its number may be another's by now.
func (p *Process) kill() {
	select {
	case <-p.ended:
	default:
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
}

// Stop asks the group to end, as Ctrl-C or a service manager does, waits for it
// and gives its exit status.
func (p *Process) Stop(t *testing.T) int {
	t.Helper()
	p.signal(syscall.SIGTERM)
	return p.Wait(t)
}

// Wait gives the exit status of a program that ends by itself.
func (p *Process) Wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(Patience):
		t.Fatalf("%s does not end", p.name)
	}
	return p.cmd.ProcessState.ExitCode()
}

// AwaitLine waits for a line of the transcript that begins with the text and
// gives it; a program that ends before that fails the test.
func (p *Process) AwaitLine(t *testing.T, from *Transcript, begin string) string {
	t.Helper()
	giveUp := time.After(Patience)
	for {
		line, changed := from.find(begin)
		if line != "" {
			return line
		}
		select {
		case <-changed:
		case <-p.ended:
			if line, _ := from.find(begin); line != "" {
				return line
			}
			t.Fatalf("%s ended before it said %q", p.name, begin)
		case <-giveUp:
			t.Fatalf("%s has not said %q", p.name, begin)
		}
	}
}

// Raced reports whether a program that was built under -race had a data race so far.
func (p *Process) Raced() bool { return strings.Contains(p.Stderr.String(), "DATA RACE") }

// Inherit is the environment of a program under test: this process's own,
// without what would lead it to another platform.
func Inherit(extra ...string) []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "LOOP_") {
			env = append(env, entry)
		}
	}
	return append(env, extra...)
}
