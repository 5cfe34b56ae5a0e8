package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// usage is what a platform's process has taken since it started; of two, what it took
// in between.
type usage struct {
	processor time.Duration
	database  time.Duration // of its server's processes, where it has some
	allocated float64       // bytes
}

// minus is what was taken since before.
func (u usage) minus(before usage) usage {
	return usage{u.processor - before.processor, u.database - before.database, u.allocated - before.allocated}
}

// usage reads it from the operator's listener.
func (p *platform) usage(ctx context.Context) (usage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.operations+"/metrics", http.NoBody)
	if err != nil {
		return usage{}, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return usage{}, fmt.Errorf("reading the platform's metrics: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	u, err := readUsage(answer.Body)
	u.database = p.databaseProcessor()
	return u, err
}

func readUsage(metrics io.Reader) (usage, error) {
	var u usage
	found := 0
	for lines := bufio.NewScanner(metrics); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		value, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
			continue
		case name == "process_cpu_seconds_total":
			u.processor = time.Duration(value * float64(time.Second))
			found++
		case name == "go_memstats_alloc_bytes_total":
			u.allocated = value
			found++
		}
	}
	if found != 2 {
		return usage{}, fmt.Errorf("the platform's metrics lack process_cpu_seconds_total or go_memstats_alloc_bytes_total")
	}
	return u, nil
}
