package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver that the platform uses

	"github.com/loop-health/loop/internal/testprocess"
)

// A ceiling is the most that this machine could do with the same requests and
// answers, in a process of its own as the platform is:
//
//   - bare: a handler that parses the form, authenticates nothing and answers
//     the same bytes;
//   - durable: the same, after as many rows of as many bytes as the platform
//     writes were committed to a SQLite file with the platform's settings. It
//     has a group commit of its own with nothing in it but INSERT and COMMIT, no
//     savepoint, no read, no check, so that whatever the platform's writer
//     costs counts against the platform. On PostgreSQL each request is one INSERT
//     of one row with all those bytes, committed by itself.
type ceiling struct {
	Durable  bool
	Database string // of PostgreSQL; empty: SQLite
	Folder   string // for SQLite's file
	Steps    []step
}

// step is one request of a scenario: what the platform answered, and the sizes
// of the rows that it wrote.
type step struct {
	Path     string
	Status   int
	Location string
	Body     []byte
	Rows     []int
}

// ceilingCommand makes this program serve a ceiling that it reads as JSON.
const ceilingCommand = "serve-ceiling"

// startCeiling runs a ceiling and gives its address.
func startCeiling(ctx context.Context, c ceiling) (address string, stop func(), err error) {
	if c.Folder, err = os.MkdirTemp("", "loop-bench-ceiling-"); err != nil {
		return "", nil, err
	}
	plan, err := json.Marshal(c)
	if err != nil {
		return "", nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, ceilingCommand)
	testprocess.EndWithParent(cmd, syscall.SIGKILL)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(plan), os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(c.Folder)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("a ceiling did not start: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

// serveCeiling serves the ceiling that it reads, and prints its address.
func serveCeiling(plan io.Reader, stdout io.Writer) error {
	var c ceiling
	if err := json.NewDecoder(plan).Decode(&c); err != nil {
		return err
	}
	var rows durable
	if c.Durable && c.Database != "" {
		var err error
		if rows, err = newSingleInserts(context.Background(), c.Database); err != nil {
			return err
		}
	} else if c.Durable {
		group, err := newRowWriter(filepath.Join(c.Folder, "ceiling.db"))
		if err != nil {
			return err
		}
		rows = group
	}
	mux := http.NewServeMux()
	for _, s := range c.Steps {
		mux.HandleFunc(s.Path, s.serve(rows))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it listens until the process ends
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

// durable writes rows, and returns once they are.
type durable interface{ write(blobs [][]byte) error }

func (s step) serve(rows durable) http.HandlerFunc {
	blobs := make([][]byte, len(s.Rows))
	for i, size := range s.Rows {
		blobs[i] = make([]byte, size)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if rows != nil && len(blobs) > 0 {
			if err := rows.write(blobs); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		if s.Location != "" {
			w.Header().Set("Location", s.Location)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Length", strconv.Itoa(len(s.Body)))
		w.WriteHeader(s.Status)
		_, _ = w.Write(s.Body)
	}
}

// rowWriter commits rows in groups: whatever has queued up while the last commit
// was under way goes into the next.
type rowWriter struct {
	conn   *sql.Conn
	insert *sql.Stmt
	queue  chan rowsToWrite
}

type rowsToWrite struct {
	blobs [][]byte
	done  chan error
}

func newRowWriter(path string) (*rowWriter, error) {
	ctx := context.Background()
	settings := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-32768)", "journal_size_limit(67108864)",
	}}
	db, err := sql.Open("sqlite", "file:"+path+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT"); err != nil {
		return nil, err
	}
	insert, err := conn.PrepareContext(ctx, "INSERT INTO rows (body) VALUES (?)")
	if err != nil {
		return nil, err
	}
	w := &rowWriter{conn: conn, insert: insert, queue: make(chan rowsToWrite, 1024)}
	go w.run(ctx)
	return w, nil
}

// write returns once the rows are durable.
func (w *rowWriter) write(blobs [][]byte) error {
	r := rowsToWrite{blobs: blobs, done: make(chan error, 1)}
	w.queue <- r
	return <-r.done
}

func (w *rowWriter) run(ctx context.Context) {
	var group []rowsToWrite
	for first := range w.queue {
		group = append(group[:0], first)
		for len(w.queue) > 0 {
			group = append(group, <-w.queue)
		}
		err := w.commit(ctx, group)
		for _, r := range group {
			r.done <- err
		}
	}
}

func (w *rowWriter) commit(ctx context.Context, group []rowsToWrite) error {
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, r := range group {
		for _, blob := range r.blobs {
			if _, err := w.insert.ExecContext(ctx, blob); err != nil {
				return err
			}
		}
	}
	_, err := w.conn.ExecContext(ctx, "COMMIT")
	return err
}
