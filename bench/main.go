// Command bench measures the platform against what its machine can do at best:
// it starts the real binary on each engine, drives its hot endpoints, and in the
// same run drives two ceilings with the same requests (ceiling.go).
//
//	go run ./bench                          the whole table
//	go run ./bench --quick --json FILE      shorter, and the results as JSON
//	go run ./bench --chart FILE             and the ratios as an SVG
//	go run ./bench --only introspect,par    some of it
//	go run ./bench --engine postgres        on one engine
//	go run ./bench --peers                  beside Ory Hydra and node-oidc-provider
//	go run ./bench --storm                  refreshes in a storm of sign-ins
//	go run ./bench --profile FOLDER         and where the platform's processor time goes
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
	chart := flags.String("chart", "", "draw the results to this `file` as SVG")
	engines := flags.String("engine", "sqlite,postgres", "on these `engines`, with commas between")
	file := flags.String("json", "", "write the results to this `file` as JSON")
	peers := flags.Bool("peers", false, "measure other authorization servers too, which are fetched and built")
	storm := flags.Bool("storm", false, "measure refreshes in a storm of sign-ins instead")
	profiles := flags.String("profile", "", "write the platform's CPU profiles to this `folder`")
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
		if *storm {
			if err := braveStorm(ctx, &platform{engine: engine}, span, stdout); err != nil {
				return err
			}
			continue
		}
		measured, err := measureAll(ctx, &platform{engine: engine, profiles: *profiles}, chosen, span, stdout)
		if err != nil {
			return err
		}
		results = append(results, measured...)
		if !*peers {
			continue
		}
		compared, err := comparePeers(ctx, engine, measured, span, stdout)
		if err != nil {
			return err
		}
		results = append(results, compared...)
	}
	if *file != "" {
		if err := writeJSON(*file, results); err != nil {
			return err
		}
	}
	if *chart == "" {
		return nil
	}
	return writeChart(*chart, results)
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
func measureAll(ctx context.Context, p *platform, chosen []scenario, span time.Duration, stdout io.Writer) ([]result, error) {
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	defer p.close()
	people, err := p.people(ctx, concurrencies[len(concurrencies)-1])
	if err != nil {
		return nil, err
	}
	printHeader(stdout, p.engine)
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
