package fault

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
)

// An app on the Go package, with a grace period, while the server is killed again and
// again: nobody has to connect again, and it goes on by itself.
func TestConnect_SurvivesAServerThatIsKilled(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := startServer(t, e)
		s.app = s.newApp("--refresh-grace", "30s")
		client := s.newConnect(t, connect.Config{RefreshGrace: grace})
		var members []string
		for _, name := range []string{"Ada", "Bert", "Cleo", "Dora"} {
			members = append(members, s.connect(t, client, name))
		}
		ctx, stop := context.WithCancel(t.Context())
		var done, failed atomic.Int64
		var group sync.WaitGroup
		for _, member := range members {
			group.Go(func() {
				for ctx.Err() == nil {
					_, err := client.Refresh(ctx, member)
					if err == nil {
						_, err = client.For(member).Biomarkers.List(ctx, connect.BiomarkerQuery{Limit: 1})
					}
					switch {
					case err == nil:
						done.Add(1)
					case errors.Is(err, connect.ErrReconnect):
						t.Errorf("a member has to connect again: %v", err)
						return
					default:
						failed.Add(1) // the server is away: the next time it may be there
					}
				}
			})
		}
		for range sized(4, 20) {
			before := done.Load()
			await(t, "nothing is answered", func() (string, bool) { return "", done.Load() >= before+20 })
			e.awaitWrite(t, s)
			s.process.Kill()
			s.start()
		}
		before := done.Load()
		await(t, "it does not go on", func() (string, bool) { return "", done.Load() >= before+20 })
		stop()
		group.Wait()
		s.stop()
		s.verifyAudit()
		t.Logf("%d refreshes with a read each, %d failures while the server was away", done.Load(), failed.Load())
	})
}

// grace is what the app is registered with.
const grace = 30 * time.Second

// newConnect is an app on the Go package, whose members' tokens are in a file.
func (s *server) newConnect(t *testing.T, config connect.Config) *connect.Client {
	t.Helper()
	store, err := connect.NewFileStore(filepath.Join(t.TempDir(), "tokens"), connect.NewKeyRing(connect.NewKeyBytes()))
	must(t, err)
	config.Issuer, config.API, config.RedirectURL, config.Store = s.identity, s.clinical, callback, store
	config.ClientID, config.ClientSecret = s.app.ID, connect.Secret(s.app.Secret)
	client, err := connect.New(config)
	must(t, err)
	return client
}

// connect has a new member connect the app.
func (s *server) connect(t *testing.T, client *connect.Client, name string) (member string) {
	t.Helper()
	address, flow, err := client.Begin(t.Context(), "/")
	must(t, err)
	answered, err := s.newPerson(name).walk(address)
	must(t, err)
	login, err := client.Finish(t.Context(), flow, answered)
	must(t, err)
	return login.Member
}

// badLine is a network between an app and the platform.
type badLine struct {
	refuses func() bool              // answers 503 in the platform's place, with Retry-After
	loses   func(*http.Request) bool // has the request carried out, and loses the answer
}

// RoundTrip sends a request over the line.
func (l badLine) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.refuses != nil && l.refuses() {
		header := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}}
		body := io.NopCloser(strings.NewReader(`{"error":"temporarily_unavailable","error_description":"The line is bad."}`))
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: body, Request: r}, nil
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && l.loses != nil && l.loses(r) {
		_ = response.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

// Promise: an app on the Go package gets through bad answers, and through clocks that
// differ by five minutes.
func TestConnect_GetsThroughBadAnswersAndClocksThatDiffer(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := startServer(t, e)
		s.app = s.newApp()
		for name, skew := range map[string]time.Duration{"Ada": 0, "Bert": -5 * time.Minute, "Cleo": 5 * time.Minute} {
			var requests atomic.Int64
			var bad atomic.Bool
			client := s.newConnect(t, connect.Config{
				Now:  func() time.Time { return time.Now().Add(skew) },
				HTTP: &http.Client{Timeout: 10 * time.Second, Transport: badLine{refuses: func() bool { return bad.Load() && requests.Add(1)%10 < 3 }}},
			})
			member := s.connect(t, client, name)
			bad.Store(true)
			for range 5 {
				if _, err := client.Refresh(t.Context(), member); err != nil {
					t.Errorf("%s: a refresh: %v", name, err)
				}
				if _, err := client.For(member).Biomarkers.List(t.Context(), connect.BiomarkerQuery{Limit: 1}); err != nil {
					t.Errorf("%s: a read: %v", name, err)
				}
			}
			if requests.Load() < 10 {
				t.Errorf("%s: only %d requests met the bad line", name, requests.Load())
			}
		}
		s.stop()
		s.verifyAudit()
	})
}

// Promise: a refresh whose answer was lost is asked for again where the app has a
// grace period; without one the member connects again, and nobody asks in a circle.
func TestConnect_ARefreshWhoseAnswerIsLost(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		s := startServer(t, e)
		for name, c := range map[string]struct {
			grace time.Duration
			want  error
			asked int64
		}{
			"Ada":  {grace, nil, 2},
			"Bert": {0, connect.ErrReconnect, 1},
		} {
			s.app = s.newApp("--refresh-grace", c.grace.String())
			var asked atomic.Int64
			var lossy atomic.Bool
			client := s.newConnect(t, connect.Config{RefreshGrace: c.grace, HTTP: &http.Client{
				Timeout: 10 * time.Second, Transport: badLine{loses: func(r *http.Request) bool {
					if r.URL.Path != "/v1/oauth/token" || !lossy.Load() {
						return false
					}
					return asked.Add(1) == 1
				}},
			}})
			member := s.connect(t, client, name)
			lossy.Store(true)
			_, err := client.Refresh(t.Context(), member)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
			for range 3 {
				if _, err := client.For(member).Biomarkers.List(t.Context(), connect.BiomarkerQuery{Limit: 1}); !errors.Is(err, c.want) {
					t.Errorf("%s: a read afterwards: got %v, want %v", name, err, c.want)
				}
			}
			if asked.Load() != c.asked {
				t.Errorf("%s: %d refreshes were asked for, want %d", name, asked.Load(), c.asked)
			}
		}
		s.stop()
		s.verifyAudit()
	})
}
