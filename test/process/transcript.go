package process

import (
	"bufio"
	"io"
	"strings"
	"sync"
)

// Transcript is what a program wrote, line by line.
type Transcript struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed and replaced at each line
}

func newTranscript() *Transcript { return &Transcript{changed: make(chan struct{})} }

func (t *Transcript) follow(r io.Reader) {
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

// find gives the first line that begins with the text, and a channel that is closed when there is more.
func (t *Transcript) find(begin string) (string, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range t.lines {
		if strings.HasPrefix(strings.TrimSpace(line), begin) {
			return line, t.changed
		}
	}
	return "", t.changed
}

// String is all that it wrote so far.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(append(t.lines, ""), "\n")
}

// Tail is the end of a long text.
func Tail(text string) string {
	const most = 6000
	if len(text) <= most {
		return text
	}
	return "…" + text[len(text)-most:]
}
