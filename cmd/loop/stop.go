package main

import (
	"context"
	"slices"
	"time"
)

// drainTime is how long requests may take to end when the platform stops.
const drainTime = 25 * time.Second

// stop closes everything, and says what was drained.
func (s *service) stop(ctx context.Context) error {
	began, busy := time.Now(), s.connections.Busy()
	s.log.InfoContext(ctx, "stopping: requests that are under way may end", "busy_connections", busy, "at_most_seconds", drainTime.Seconds())
	err := s.close(ctx)
	s.log.InfoContext(ctx, "stopped", "drained_connections", busy-s.cutOff, "cut_off_connections", s.cutOff,
		"after_seconds", time.Since(began).Seconds(), "served_seconds", time.Since(s.startedAt).Round(time.Second).Seconds())
	return err
}

func (s *service) shutDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for _, server := range s.servers {
		if server.Shutdown(ctx) != nil {
			s.cutOff = s.connections.Busy()
			_ = server.Close()
		}
	}
	return nil
}

// addresses are those that the hosts listen on.
func (s *service) addresses() []string {
	var all []string
	for _, server := range s.servers {
		all = append(all, server.Addr)
	}
	slices.Sort(all)
	return all
}
