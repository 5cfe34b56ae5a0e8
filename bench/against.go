package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"
	"time"
)

// build is one of the two builds that are measured side by side.
type build struct {
	*platform

	version string // as the binary says it
	people  []*person
}

// comparison is one line of the table of two builds.
type comparison struct {
	Name        string  `json:"name"`
	Engine      string  `json:"engine"`
	Concurrency int     `json:"concurrency"`
	Own         figures `json:"own"`
	Other       figures `json:"other"`
	Ratio       float64 `json:"ratio"` // how many times the other's requests a second
}

// figures are what two turns of one build came to.
type figures struct {
	PerSecond float64 `json:"per_second"`
	P99       float64 `json:"p99_ms"` // the lower one of the turns
	Processor float64 `json:"processor_us"`
	Database  float64 `json:"database_us"` // of processor time, of its server
	Allocated float64 `json:"allocated_kib"`
	Errors    int     `json:"errors"`

	first error
}

// measureAgainst measures this build and a binary of another commit on one engine.
// Both run all the time and one is driven at a time, in the order own, other, other,
// own: a machine that grows slower meanwhile does it to both.
func measureAgainst(ctx context.Context, engine string, o options, stdout io.Writer) ([]comparison, error) {
	own, other := &build{platform: &platform{engine: engine, profiles: o.profiles}}, &build{platform: &platform{engine: engine, binary: o.against}}
	for _, b := range []*build{own, other} {
		defer b.close()
		if err := b.begin(ctx); err != nil {
			return nil, err
		}
	}
	printAgainstHeader(stdout, engine, own, other)
	var found []comparison
	for _, s := range o.scenarios {
		for _, workers := range concurrencies {
			c, err := s.against(ctx, own, other, workers, o.span)
			if err != nil {
				return found, fmt.Errorf("%s at %d: %w", s.name, workers, err)
			}
			c.print(stdout)
			found = append(found, c)
		}
	}
	_, err := fmt.Fprintf(stdout, "\nThe memory of this build: %s; of the other: %s.\n", residentMemory(own.server.Process.Pid), residentMemory(other.server.Process.Pid))
	return found, err
}

// begin starts the build with as many people as are ever driven.
func (b *build) begin(ctx context.Context) (err error) {
	if err := b.platform.begin(ctx); err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, b.platform.binary, "version").Output()
	if err != nil {
		return err
	}
	b.version = strings.TrimSpace(string(version))
	b.people, err = b.platform.people(ctx, concurrencies[len(concurrencies)-1])
	return err
}

func (s scenario) against(ctx context.Context, own, other *build, workers int, span time.Duration) (comparison, error) {
	c := comparison{Name: s.name, Engine: own.engine, Concurrency: workers}
	turns := map[*build][]sample{}
	for _, b := range []*build{own, other, other, own} {
		turn, err := s.drive(ctx, b.platform, b.people[:workers], span)
		if err != nil {
			return c, err
		}
		turns[b] = append(turns[b], turn)
	}
	c.Own, c.Other = figuresOf(turns[own]), figuresOf(turns[other])
	c.Ratio = math.Round(100*c.Own.PerSecond/c.Other.PerSecond) / 100
	return c, nil
}

// figuresOf sums turns up.
func figuresOf(turns []sample) figures {
	f := figures{P99: math.Inf(1)}
	for _, turn := range turns {
		f.PerSecond += turn.perSecond / float64(len(turns))
		f.Processor += float64(turn.spent.processor.Microseconds()) / float64(len(turns)*max(1, turn.done))
		f.Database += float64(turn.spent.database.Microseconds()) / float64(len(turns)*max(1, turn.done))
		f.Allocated += turn.spent.allocated / float64(1024*len(turns)*max(1, turn.done))
		if turn.p99 > 0 { // 0: nothing was left to measure after the warm-up
			f.P99 = min(f.P99, milliseconds(turn.p99))
		}
		f.Errors += turn.errors
		if f.first == nil {
			f.first = turn.first
		}
	}
	if math.IsInf(f.P99, 1) {
		f.P99 = 0
	}
	f.PerSecond, f.Processor, f.Database, f.Allocated = round(f.PerSecond), round(f.Processor), round(f.Database), round(f.Allocated)
	return f
}

func printAgainstHeader(w io.Writer, engine string, own, other *build) {
	fmt.Fprintf(w, "\n%s, on %s\n\nThis build: %s\nThe other: %s\n\n", machine(), engine, own.version, other.version)
	fmt.Fprintln(w, "| | at a time | per second | the other | ratio | p99 ms | the other | processor µs a request | the other | its database | the other | KiB allocated | the other | errors |")
	fmt.Fprintln(w, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
}

func (c *comparison) print(w io.Writer) {
	fmt.Fprintf(w, "| %s | %d | %.0f | %.0f | %.2f × | %.2f | %.2f | %.0f | %.0f | %.0f | %.0f | %.1f | %.1f | %d, %d |\n", c.Name, c.Concurrency,
		c.Own.PerSecond, c.Other.PerSecond, c.Ratio, c.Own.P99, c.Other.P99, c.Own.Processor, c.Other.Processor, c.Own.Database, c.Other.Database, c.Own.Allocated, c.Other.Allocated, c.Own.Errors, c.Other.Errors)
	printFirst(w, c.Own.first)
	printFirst(w, c.Other.first)
}
