package test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should come at once. It bounds a
// failure, not a success: a loaded machine is slow, not wrong.
const patience = 90 * time.Second

// process is a program that a test started. It leads a process group of its
// own, so that what it forks ends with it (Flask's reloader forks).
type process struct {
	name           string
	cmd            *exec.Cmd
	stdout, stderr *transcript
	ended          chan struct{} // closed once it has exited and all it wrote was read
}

// start runs a program until the test ends, or until stop.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: cmd.String(), cmd: cmd, stdout: newTranscript(), stderr: newTranscript(), ended: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
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
			t.Logf("%s said:\n%s%s", p.name, tail(p.stdout.String()), tail(p.stderr.String()))
		}
	})
	return p
}

func (p *process) watch(stdout, stderr io.Reader) {
	var readers sync.WaitGroup
	readers.Go(func() { p.stdout.follow(stdout) })
	readers.Go(func() { p.stderr.follow(stderr) })
	readers.Wait()
	_ = p.cmd.Wait() // its status is asked for by stop
	close(p.ended)
}

// signal tells the whole group.
func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// stop asks the group to end, as Ctrl-C or a service manager does, waits for it
// and gives its exit status.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait(t)
}

// wait gives the exit status of a program that ends by itself.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end", p.name)
	}
	return p.cmd.ProcessState.ExitCode()
}

// awaitLine waits for a line of the transcript that begins with the text and
// gives it; a program that ends before that fails the test.
func (p *process) awaitLine(t *testing.T, from *transcript, begin string) string {
	t.Helper()
	giveUp := time.After(patience)
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

// transcript is what a program wrote, line by line.
type transcript struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed and replaced at each line
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{})} }

func (t *transcript) follow(r io.Reader) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		t.mu.Lock()
		t.lines = append(t.lines, scanner.Text())
		close(t.changed)
		t.changed = make(chan struct{})
		t.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, r) // a line that was too long must not block the writer
}

// find gives the first line that begins with the text, and what tells of more.
func (t *transcript) find(begin string) (string, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.lines {
		if strings.HasPrefix(strings.TrimSpace(line), begin) {
			return line, t.changed
		}
	}
	return "", t.changed
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(append(t.lines, ""), "\n")
}

// tail is the end of a long text.
func tail(text string) string {
	const most = 6000
	if len(text) <= most {
		return text
	}
	return "…" + text[len(text)-most:]
}

// inherit is the environment of a program under test: this process's own,
// without what would lead it to another platform.
func inherit(extra ...string) []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "LOOP_") {
			env = append(env, entry)
		}
	}
	return append(env, extra...)
}

// race lets n goroutines try at the same time and counts who won.
func race(n int, try func() bool) int {
	var (
		group sync.WaitGroup
		won   atomic.Int64
	)
	gun := make(chan struct{})
	for range n {
		group.Go(func() {
			<-gun
			if try() {
				won.Add(1)
			}
		})
	}
	close(gun)
	group.Wait()
	return int(won.Load())
}
