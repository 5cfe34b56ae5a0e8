package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

// comparePeers drives other authorization servers with the same load, each alone on
// the machine, and puts them beside what was measured of the platform. A peer that
// can't be built or started is named with the reason, and the others go on.
func comparePeers(ctx context.Context, engine string, own []result, span time.Duration, stdout io.Writer) ([]result, error) {
	folder, err := os.MkdirTemp("", "loop-bench-peers-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	peers, faults := findPeers(ctx, engine, folder)
	fmt.Fprintf(stdout, "\nBeside others, on %s\n\n| | at a time | per second | p99 ms | peer | per second | p99 ms | errors | ratio |\n", engine)
	fmt.Fprintln(stdout, "| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: |")
	var results []result
	for _, p := range peers {
		measured, err := comparePeer(ctx, p, own, filepath.Join(folder, "run-"+strings.ReplaceAll(p.name(), " ", "-")), span, stdout)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.name(), err))
		}
		results = append(results, measured...)
	}
	for _, fault := range faults {
		fmt.Fprintf(stdout, "\nNot measured: %v\n", fault)
	}
	return results, nil
}

// findPeers builds what can be built.
func findPeers(ctx context.Context, engine, folder string) (peers []peer, faults []error) {
	if binary, err := buildHydra(ctx, folder); err != nil {
		faults = append(faults, err)
	} else {
		peers = append(peers, &hydra{binary: binary, engine: engine}, &hydra{binary: binary, engine: engine, tuned: true})
	}
	if p, err := fetchOIDCProvider(ctx, folder); err != nil {
		faults = append(faults, err)
	} else {
		peers = append(peers, p)
	}
	return peers, faults
}

func comparePeer(ctx context.Context, p peer, own []result, folder string, span time.Duration, stdout io.Writer) (results []result, err error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	f, err := p.start(ctx, folder)
	defer f.stop()
	if err != nil {
		return nil, err
	}
	visitors := make([]*visitor, concurrencies[len(concurrencies)-1])
	for i := range visitors {
		if visitors[i], err = newVisitor(ctx, p, f, i); err != nil {
			return nil, err
		}
	}
	for _, r := range own {
		if !slices.Contains(compared, r.Name) {
			continue
		}
		operations := make([]operation, r.Concurrency)
		for i := range operations {
			if operations[i], err = visitors[i].operation(ctx, r.Name); err != nil {
				return results, fmt.Errorf("%s: %w", r.Name, err)
			}
		}
		s := measure(ctx, operations, span)
		r.takePeer(p.name(), s)
		r.printPeer(stdout, s)
		results = append(results, r)
	}
	return results, nil
}

// startDatabase is a PostgreSQL server with the settings that the platform's has.
func startDatabase() (*postgrestest.Server, error) {
	server, err := postgrestest.New("shared_buffers=256MB")
	if err != nil {
		return nil, err
	}
	return server, server.Start()
}
