// Command bench measures the platform against what its machine can do at best:
// it starts the real binary on each engine, drives its hot endpoints, and in the
// same run drives two ceilings with the same requests (ceiling.go).
//
//	go run ./bench                          the whole table
//	go run ./bench --quick --json FILE      shorter, and the results as JSON
//	go run ./bench --chart FILE             and the ratios as an SVG
//	go run ./bench --only introspect,par    some of it
//	go run ./bench --at 16,64               at so many at a time
//	go run ./bench --engine postgres        on one engine
//	go run ./bench --peers                  beside Ory Hydra and node-oidc-provider
//	go run ./bench --storm                  refreshes in a storm of sign-ins
//	go run ./bench --account                the pages of a member's account
//	go run ./bench --grown                  beside millions of grants, chains and records
//	go run ./bench --against FILE           beside a binary of another commit, instead
//	go run ./bench --profile FOLDER         and where the platform's processor time goes
//
// README.md says how the figures are to be read, and holds the newest ones.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// concurrencies are how many requests are under way at a time, the most last.
var concurrencies = []int{1, 16, 64}

func run(args []string, stdout io.Writer) error {
	if len(args) == 1 && args[0] == ceilingCommand {
		return serveCeiling(os.Stdin, stdout)
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if o.against != "" {
		return o.compareBuilds(ctx, stdout)
	}
	var results []result
	for engine := range strings.SplitSeq(o.engines, ",") {
		measured, err := o.measure(ctx, &platform{engine: engine, profiles: o.profiles}, stdout)
		if err != nil {
			return err
		}
		results = append(results, measured...)
	}
	return o.write(results)
}

// options are what the command line asks for.
type options struct {
	engines               string
	scenarios             []scenario
	span                  time.Duration
	file, chart, profiles string // empty: none
	against               string // a binary; empty: none
	peers, storm, grown   bool
	account               bool
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "measure each for two seconds instead of ten")
	only := flags.String("only", "", "measure these `names` alone, with commas between")
	at := flags.String("at", "", "measure so `many` at a time alone, with commas between")
	flags.StringVar(&o.engines, "engine", "sqlite,postgres", "on these `engines`, with commas between")
	flags.StringVar(&o.file, "json", "", "write the results to this `file` as JSON")
	flags.StringVar(&o.chart, "chart", "", "draw the results to this `file` as SVG")
	flags.StringVar(&o.profiles, "profile", "", "write the platform's CPU profiles to this `folder`")
	flags.StringVar(&o.against, "against", "", "measure this build and the binary in this `file`, in turn, and the ratio of both")
	flags.BoolVar(&o.peers, "peers", false, "measure other authorization servers too, which are fetched and built")
	flags.BoolVar(&o.storm, "storm", false, "measure refreshes in a storm of sign-ins instead")
	flags.BoolVar(&o.account, "account", false, "measure the pages of a member's account instead")
	flags.BoolVar(&o.grown, "grown", false, "measure a platform with millions of rows instead")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.span = 10 * time.Second
	if *quick {
		o.span = 2 * time.Second
	}
	if o.against != "" {
		if o.against, err = filepath.Abs(o.against); err != nil {
			return o, err
		}
	}
	if *at != "" {
		if concurrencies, err = counts(*at); err != nil {
			return o, err
		}
	}
	o.scenarios, err = choose(*only)
	return o, err
}

// counts reads how many are to be under way at a time.
func counts(text string) (counts []int, err error) {
	for one := range strings.SplitSeq(text, ",") {
		count, err := strconv.Atoi(one)
		if err != nil || count < 1 {
			return nil, fmt.Errorf("--at takes numbers from 1 on, and not %q", one)
		}
		counts = append(counts, count)
	}
	slices.Sort(counts)
	return counts, nil
}

// compareBuilds measures this build beside another one, on each engine.
func (o options) compareBuilds(ctx context.Context, stdout io.Writer) error {
	var found []comparison
	for engine := range strings.SplitSeq(o.engines, ",") {
		if o.storm {
			own, other := &platform{engine: engine}, &platform{engine: engine, binary: o.against}
			if err := errors.Join(measureStorm(ctx, own, o.span, stdout), measureStorm(ctx, other, o.span, stdout)); err != nil {
				return err
			}
			continue
		}
		measured, err := measureAgainst(ctx, engine, o, stdout)
		if err != nil {
			return err
		}
		found = append(found, measured...)
	}
	if o.file == "" {
		return nil
	}
	return writeJSON(o.file, found)
}

// measure measures what was asked for on one engine.
func (o options) measure(ctx context.Context, p *platform, stdout io.Writer) ([]result, error) {
	switch {
	case o.storm:
		return nil, measureStorm(ctx, p, o.span, stdout)
	case o.account:
		return nil, measureAccount(ctx, p, o.span, stdout)
	case o.grown:
		return nil, measureGrowth(ctx, p, o.span, stdout)
	}
	results, err := measureAll(ctx, p, o.scenarios, o.span, stdout)
	if err != nil || !o.peers {
		return results, err
	}
	compared, err := comparePeers(ctx, p.engine, results, o.span, stdout)
	return append(results, compared...), err
}

func (o options) write(results []result) error {
	if o.file != "" {
		if err := writeJSON(o.file, results); err != nil {
			return err
		}
	}
	if o.chart == "" {
		return nil
	}
	return writeChart(o.chart, results)
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
