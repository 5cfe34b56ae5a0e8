package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/intake"
)

// progress shows on a terminal how far an import has come; elsewhere it shows nothing.
type progress struct {
	out   io.Writer // nil: no terminal
	total int64     // bytes, each read twice
	done  int64
	shown time.Time
}

func newProgress(out io.Writer, files []intake.File) *progress {
	p := &progress{}
	if file, ok := out.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.out = out
		}
	}
	for i := range files {
		p.total += 2 * files[i].Size
	}
	return p
}

const (
	progressWidth = 30
	progressEvery = 100 * time.Millisecond
)

// read notes that more was read.
func (p *progress) read(bytes int64) {
	p.done += bytes
	if p.out == nil || p.total == 0 || time.Since(p.shown) < progressEvery {
		return
	}
	p.shown = time.Now()
	part := min(1, float64(p.done)/float64(p.total))
	full := int(part * progressWidth)
	_, _ = fmt.Fprintf(p.out, "\r[%s%s] %3.0f %%", strings.Repeat("#", full), strings.Repeat(" ", progressWidth-full), 100*part)
}

// end takes the bar away.
func (p *progress) end() {
	if p.out != nil && !p.shown.IsZero() {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
