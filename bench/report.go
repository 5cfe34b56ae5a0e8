package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"time"
)

// result is one line of the table. The ceiling of the JSON is the durable one, and
// the bare handler for what writes nothing.
type result struct {
	Name        string  `json:"name"`
	Engine      string  `json:"engine"`
	Concurrency int     `json:"concurrency"`
	PerSecond   float64 `json:"per_second"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Errors      int     `json:"errors"`
	Ceiling     float64 `json:"ceiling_per_second"`
	Ratio       float64 `json:"ratio"`
	CeilingP99  float64 `json:"ceiling_p99_ms"`

	Peer          string  `json:"peer,omitempty"` // another server that was measured beside it
	PeerPerSecond float64 `json:"peer_per_second,omitempty"`
	PeerRatio     float64 `json:"peer_ratio,omitempty"` // how many times the peer's the platform's figure is

	bare    float64
	durable bool // whether the ceiling is
	first   error
}

func (r *result) take(s sample) {
	r.PerSecond, r.P50, r.P99 = round(s.perSecond), milliseconds(s.p50), milliseconds(s.p99)
	r.Errors, r.first = s.errors, s.first
}

func (r *result) takeCeiling(s sample, durable bool) {
	r.Ceiling, r.CeilingP99, r.durable = round(s.perSecond), milliseconds(s.p99), durable
	if !durable {
		r.bare = r.Ceiling
	}
	r.Ratio = math.Round(1000*r.PerSecond/r.Ceiling) / 1000
}

func round(perSecond float64) float64 { return math.Round(10*perSecond) / 10 }

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

func printHeader(w io.Writer, engine string) {
	fmt.Fprintf(w, "\n%s, on %s\n\n", machine(), engine)
	fmt.Fprintln(w, "| | at a time | per second | p50 ms | p99 ms | errors | bare handler | ratio | durable insert | ratio | its p99 |")
	fmt.Fprintln(w, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
}

func (r *result) print(w io.Writer) {
	durable := "– | –"
	if r.durable {
		durable = fmt.Sprintf("%.0f | %.0f %%", r.Ceiling, 100*r.Ratio)
	}
	fmt.Fprintf(w, "| %s | %d | %.0f | %.2f | %.2f | %d | %.0f | %.0f %% | %s | %.2f |\n", r.Name, r.Concurrency,
		r.PerSecond, r.P50, r.P99, r.Errors, r.bare, 100*r.PerSecond/r.bare, durable, r.CeilingP99)
	printFirst(w, r.first)
}

func (r *result) takePeer(name string, s sample) {
	r.Peer, r.PeerPerSecond = name, round(s.perSecond)
	if s.perSecond > 0 {
		r.PeerRatio = math.Round(10*r.PerSecond/r.PeerPerSecond) / 10
	}
}

func (r *result) printPeer(w io.Writer, s sample) {
	ratio := "–"
	if r.PeerRatio > 0 {
		ratio = fmt.Sprintf("%.1f ×", r.PeerRatio)
	}
	fmt.Fprintf(w, "| %s | %d | %.0f | %.2f | %s | %.0f | %.2f | %d | %s |\n", r.Name, r.Concurrency,
		r.PerSecond, r.P99, r.Peer, r.PeerPerSecond, milliseconds(s.p99), s.errors, ratio)
	printFirst(w, s.first)
}

// mostOfError is how much of an error is shown: some answer with a page.
const mostOfError = 300

func printFirst(w io.Writer, first error) {
	if first == nil {
		return
	}
	text := first.Error()
	fmt.Fprintf(w, "\nThe first error: %s\n\n", text[:min(len(text), mostOfError)])
}

// machine describes what the figures were taken on.
func machine() string {
	model, memory := "an unknown processor", "unknown memory"
	for _, line := range procLines("/proc/cpuinfo", "model name") {
		model = line
	}
	for _, line := range procLines("/proc/meminfo", "MemTotal") {
		memory = line
	}
	return fmt.Sprintf("%s, %d processors, %s, %s/%s, %s", model, runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// procLines gives the values of a name in a file of /proc; none elsewhere.
func procLines(path, name string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var values []string
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

func writeJSON[T any](path string, results []T) error {
	text, err := json.MarshalIndent(map[string][]T{"results": results}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
