package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profiled measures while the platform keeps a profile of its processor time, in
// the folder for profiles, as NAME-ENGINE-CONCURRENCY.pprof; without a folder it
// only measures. It asks the operator's listener, as an operator would.
func (p *platform) profiled(ctx context.Context, name string, span time.Duration, measured func() sample) (sample, error) {
	if p.profiles == "" {
		return measured(), nil
	}
	taken := make(chan error, 1)
	go func() {
		taken <- p.fetchProfile(ctx, int((warmUp+span)/time.Second), filepath.Join(p.profiles, name+".pprof"))
	}()
	found := measured()
	return found, <-taken
}

func (p *platform) fetchProfile(ctx context.Context, seconds int, path string) error {
	address := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.operations, seconds)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("taking a profile: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	profile, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("taking a profile: status %d: %s: %w", answer.StatusCode, profile, err)
	}
	return os.WriteFile(path, profile, 0o644)
}

// freeAddress is one on loopback where nothing listens yet.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
