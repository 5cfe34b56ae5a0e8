package servercert

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Server gives the newest good certificate to each connection. Safe for concurrent use.
type Server struct {
	files Files
	names []string // of the hosts that it has to be good for
	now   func() time.Time
	log   *slog.Logger

	serving atomic.Pointer[tls.Certificate]
	seen    [2]stamp // the files as they were read last; Watch's alone
}

// stamp is by what a changed file is known.
type stamp struct {
	modified time.Time
	size     int64
}

// Open reads the certificate. One that is expired, not yet valid, not for every name,
// or of another key is an error that says so.
func Open(files Files, names []string, now func() time.Time, log *slog.Logger) (*Server, error) {
	s := &Server{files: files, names: names, now: now, log: log}
	s.seen = s.stamps()
	pair, err := files.load(names, now())
	if err != nil {
		return nil, err
	}
	s.serving.Store(pair)
	return s, nil
}

// Get gives the certificate for a connection (tls.Config.GetCertificate).
func (s *Server) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.serving.Load(), nil }

// NotAfter is when the certificate that is served expires.
func (s *Server) NotAfter() time.Time { return s.serving.Load().Leaf.NotAfter }

// lookEvery is how often the files are looked at.
const lookEvery = 20 * time.Second

// Watch takes up changed files until ctx ends: by itself, and at once where again
// receives something.
func (s *Server) Watch(ctx context.Context, again <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
			s.reload(ctx)
		case <-tick.C:
			if s.stamps() != s.seen {
				s.reload(ctx)
			}
		}
	}
}

// reload reads the files. Where they are no good, the certificate from before goes on;
// they may be half written, and are read again at the next look.
func (s *Server) reload(ctx context.Context) {
	seen := s.stamps()
	pair, err := s.files.load(s.names, s.now())
	if err != nil {
		s.log.ErrorContext(ctx, "the changed certificate is not taken up; the one from before is served", "cause", err, "expires", s.NotAfter())
		return
	}
	s.seen = seen
	s.serving.Store(pair)
	s.log.InfoContext(ctx, "the certificate was read again", "expires", pair.Leaf.NotAfter)
}

// stamps are those of both files; zero for one that isn't there.
func (s *Server) stamps() (stamps [2]stamp) {
	for i, path := range []string{s.files.Certificate, s.files.Key} {
		if info, err := os.Stat(path); err == nil {
			stamps[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return stamps
}
