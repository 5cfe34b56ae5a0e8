// Command bench measures the platform against what its machine can do at best:
// it starts the real binary on each engine, drives its hot endpoints, and in the
// same run drives two ceilings with the same requests (ceiling.go).
//
//	go run ./bench                          the whole table
//	go run ./bench --quick --json FILE      shorter, and the results as JSON
//	go run ./bench --only introspect,par    some of it
//	go run ./bench --engine postgres        on one engine
//
// README.md says how the figures are to be read, and holds the newest ones.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// concurrencies are how many requests are under way at a time.
var concurrencies = []int{1, 16, 64}

func run(args []string, stdout io.Writer) error {
	if len(args) == 1 && args[0] == ceilingCommand {
		return serveCeiling(os.Stdin, stdout)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "measure each for two seconds instead of ten")
	only := flags.String("only", "", "measure these `names` alone, with commas between")
	engines := flags.String("engine", "sqlite,postgres", "on these `engines`, with commas between")
	file := flags.String("json", "", "write the results to this `file` as JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	span := 10 * time.Second
	if *quick {
		span = 2 * time.Second
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	var results []result
	for engine := range strings.SplitSeq(*engines, ",") {
		measured, err := measureAll(ctx, engine, chosen, span, stdout)
		if err != nil {
			return err
		}
		results = append(results, measured...)
	}
	if *file == "" {
		return nil
	}
	return writeJSON(*file, results)
}

// choose gives the scenarios with these names, all where none is named.
func choose(names string) ([]scenario, error) {
	if names == "" {
		return scenarios, nil
	}
	var chosen []scenario
	for name := range strings.SplitSeq(names, ",") {
		at := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if at < 0 {
			return nil, fmt.Errorf("there is no %q to measure; README.md has the names", name)
		}
		chosen = append(chosen, scenarios[at])
	}
	return chosen, nil
}

// measureAll starts the platform, measures each scenario at every concurrency
// beside its ceilings, and prints the table as it grows.
func measureAll(ctx context.Context, engine string, chosen []scenario, span time.Duration, stdout io.Writer) ([]result, error) {
	p, err := startPlatform(ctx, engine)
	if err != nil {
		return nil, err
	}
	defer p.close()
	people, err := p.people(ctx, concurrencies[len(concurrencies)-1])
	if err != nil {
		return nil, err
	}
	printHeader(stdout, engine)
	var results []result
	for _, s := range chosen {
		for _, workers := range concurrencies {
			measured, err := s.compare(ctx, p, people[:workers], span)
			if err != nil {
				return nil, fmt.Errorf("%s at %d: %w", s.name, workers, err)
			}
			measured.print(stdout)
			results = append(results, measured)
		}
	}
	return results, nil
}
