package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Commands runs one administrative command and gives its exit status.
type Commands func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int

// Status is what a running server says of itself.
type Status struct {
	StartedAt time.Time         `json:"started_at"`
	Version   string            `json:"version"`
	PID       int               `json:"pid"`
	Domain    string            `json:"domain,omitempty"` // set where the platform runs under real names, through the proxy
	Addresses map[string]string `json:"addresses"`        // by what is served: identity, clinical, developers, and in development proxy and quickstart
}

// runRequest is the body of POST /run.
type runRequest struct {
	Args  []string `json:"args"`
	Stdin string   `json:"stdin,omitempty"`
}

// frame is one line of the answer to POST /run. The last has an exit status; an
// answer without one was cut off.
type frame struct {
	Stdout []byte `json:"stdout,omitempty"`
	Stderr []byte `json:"stderr,omitempty"`
	Exit   *int   `json:"exit,omitempty"`
}

// maxRunBytes bounds a command: its arguments and what it reads.
const maxRunBytes = 1 << 20

// Server is the running side of the socket.
type Server struct {
	folder   string
	status   Status
	commands Commands
	http     *http.Server

	stopping chan struct{} // closed when somebody asks the server to stop
	stop     sync.Once
	stopped  chan struct{}      // closed when all else has stopped, and those who asked may know
	cancel   context.CancelFunc // ends the commands that run

	mu       sync.Mutex // guards draining, and running against a start while it waits
	draining bool
	running  sync.WaitGroup
}

// Listen opens the socket in the folder, whose lock the caller holds, and
// answers it until Close.
func Listen(ctx context.Context, folder string, status Status, commands Commands, log *slog.Logger) (*Server, error) {
	listener, err := listenSocket(ctx, folder)
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Server{folder: folder, status: status, commands: commands, stopping: make(chan struct{}), stopped: make(chan struct{}), cancel: cancel}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", s.serveStatus)
	mux.HandleFunc("POST /stop", s.serveStop)
	mux.HandleFunc("POST /run", func(w http.ResponseWriter, r *http.Request) { s.serveRun(life, w, r) })
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // no WriteTimeout: a command takes as long as it takes
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("administrative socket", "cause", err)
		}
	}()
	return s, nil
}

// Stopping is closed when somebody asked the server to stop.
func (s *Server) Stopping() <-chan struct{} { return s.stopping }

// Drain removes the socket, so that nobody else comes, ends the commands that run
// and waits for them. After it, what they act on may be closed and the folder's
// lock released.
func (s *Server) Drain() error {
	err := os.Remove(filepath.Join(s.folder, socketFile))
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
	return err
}

// Close answers those who asked for the stop, once all has stopped, and closes their
// connections. Call Drain before it.
func (s *Server) Close(ctx context.Context) error {
	close(s.stopped)
	return s.http.Shutdown(ctx)
}

func (s *Server) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.status)
}

// serveStop asks for the stop, and ends its answer when all has stopped.
func (s *Server) serveStop(w http.ResponseWriter, r *http.Request) {
	s.stop.Do(func() { close(s.stopping) })
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush()
	select {
	case <-s.stopped:
	case <-r.Context().Done():
	}
}

// serveRun runs a command and streams what it writes, one frame a line. The
// command ends early when its caller goes away or the server stops.
func (s *Server) serveRun(life context.Context, w http.ResponseWriter, r *http.Request) {
	var request runRequest
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRunBytes))
	if err := decoder.Decode(&request); err != nil {
		http.Error(w, fmt.Sprintf("The command could not be read: %v.", err), http.StatusBadRequest)
		return
	}
	if !s.begin() {
		http.Error(w, "it is stopping", http.StatusServiceUnavailable)
		return
	}
	defer s.running.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	answer := &frames{encoder: json.NewEncoder(w), flush: http.NewResponseController(w).Flush}
	w.Header().Set("Content-Type", "application/x-ndjson")
	exit := s.commands(ctx, request.Args, strings.NewReader(request.Stdin),
		frameWriter(func(p []byte) error { return answer.write(frame{Stdout: p}) }),
		frameWriter(func(p []byte) error { return answer.write(frame{Stderr: p}) }))
	_ = answer.write(frame{Exit: &exit})
}

// begin counts a command in, unless the server is stopping.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.running.Add(1)
	}
	return !s.draining
}

// frames writes the answer, from whichever goroutine a command writes in.
type frames struct {
	mu      sync.Mutex
	encoder *json.Encoder
	flush   func() error
}

func (f *frames) write(one frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.encoder.Encode(one); err != nil {
		return err
	}
	return f.flush()
}

// frameWriter makes an io.Writer of a function that sends one frame.
type frameWriter func(p []byte) error

func (w frameWriter) Write(p []byte) (int, error) {
	if err := w(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
