package fault

import (
	"context"
	"errors"
	"path/filepath"
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
		store, err := connect.NewFileStore(filepath.Join(t.TempDir(), "tokens"), connect.NewKeyRing(connect.NewKeyBytes()))
		must(t, err)
		client, err := connect.New(connect.Config{
			Issuer: s.identity, API: s.clinical, ClientID: s.app.ID, ClientSecret: connect.Secret(s.app.Secret), RedirectURL: callback,
			Store: store, RefreshGrace: grace,
		})
		must(t, err)
		var members []string
		for _, name := range []string{"Ada", "Bert", "Cleo", "Dora"} {
			address, flow, err := client.Begin(t.Context(), "/")
			must(t, err)
			answered, err := s.newPerson(name).walk(address)
			must(t, err)
			login, err := client.Finish(t.Context(), flow, answered)
			must(t, err)
			members = append(members, login.Member)
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
