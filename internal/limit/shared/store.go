package shared

import (
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/loop-health/loop/internal/limit"
)

// How long the server may take, and how long it is left alone when it did not answer.
const (
	patience = 100 * time.Millisecond
	rest     = time.Second
)

// keyPrefix is before every key, so that the server can serve others, too.
const keyPrefix = "loop:limit:"

//go:embed allow.lua
var script string

var allow = redis.NewScript(script)

// Store counts in a Valkey or Redis server (limit.Shared). It is safe for concurrent
// use.
type Store struct {
	client *redis.Client
	log    *slog.Logger

	restsUntil atomic.Int64 // in nanoseconds since 1970; 0: the server answers
}

// Check says what is wrong with an address.
func Check(address string) error {
	_, err := parse(address)
	return err
}

func parse(address string) (*redis.Options, error) {
	options, err := redis.ParseURL(address)
	if err != nil {
		// The error repeats the address, which may hold a password.
		return nil, errors.New("the address of the limits' server cannot be read: it has the form redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS")
	}
	return options, nil
}

// Open makes a store of the server at an address: redis://…, or rediss://… for TLS. It
// does not connect: a server that is away is no reason not to start.
func Open(address string, log *slog.Logger) (*Store, error) {
	options, err := parse(address)
	if err != nil {
		return nil, err
	}
	quiet.Do(func() { redis.SetLogger(nobody{}) })
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = patience, patience, patience, patience
	options.ContextTimeoutEnabled = true
	options.MaxRetries, options.DialerRetries = -1, 1 // a request waits once
	return &Store{client: redis.NewClient(options), log: log}, nil
}

// nobody hears what the library says of each connection: the store reports a server
// that does not answer, once.
type nobody struct{}

var quiet sync.Once

// Printf says nothing.
func (nobody) Printf(context.Context, string, ...any) {}

// Allow counts a request and judges it (limit.Shared).
func (s *Store) Allow(class limit.Class, key string, stranger bool, perMinute, now int64) (limit.Verdict, bool) {
	if !s.mayAsk() {
		return limit.Verdict{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	shared := 0
	if stranger {
		shared = 1
	}
	found, err := allow.Run(ctx, s.client, []string{keyPrefix + class.String() + ":" + key}, perMinute, now, shared).Int64Slice()
	if err == nil && len(found) != answerLength {
		err = fmt.Errorf("it answers with %d numbers", len(found))
	}
	if err != nil {
		s.failed(err)
		return limit.Verdict{}, false
	}
	s.answered()
	return limit.Verdict{
		Allowed: found[0] == 1, Limit: int(perMinute), Remaining: int(found[1]),
		Reset: span(found[2]), RetryAfter: span(found[3]), Blocked: found[4] == 1,
	}, true
}

// answerLength is how many numbers the script answers with.
const answerLength = 5

func span(milliseconds int64) time.Duration { return time.Duration(milliseconds) * time.Millisecond }

// Answers reports whether the server answered when it was last asked.
func (s *Store) Answers() bool { return s.restsUntil.Load() == 0 }

// mayAsk reports whether the server is to be asked. While it rests it is not; then
// one request tries it, and the others still go without.
func (s *Store) mayAsk() bool {
	until := s.restsUntil.Load()
	if until == 0 {
		return true
	}
	now := time.Now()
	return now.UnixNano() >= until && s.restsUntil.CompareAndSwap(until, now.Add(rest).UnixNano())
}

func (s *Store) failed(cause error) {
	if s.restsUntil.Swap(time.Now().Add(rest).UnixNano()) == 0 {
		s.log.Error("limits can't be counted together; each process counts for itself until they can", "cause", cause)
	}
}

func (s *Store) answered() {
	if s.restsUntil.Load() != 0 && s.restsUntil.Swap(0) != 0 {
		s.log.Info("limits are counted together again")
	}
}

// Close closes the connections.
func (s *Store) Close() error { return s.client.Close() }
