package registration

import (
	"context"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// originsLife is how far what is known of origins may be behind another process.
const originsLife = time.Minute

// origins are those that enabled apps registered, as they were a moment ago.
type origins struct {
	mu     sync.Mutex
	readAt time.Time // zero: to be read
	known  map[string]bool
}

// HasOrigin reports whether an enabled app registered the origin. It decides what a
// browser is answered before it is known which app asks, and may be a minute behind;
// who may read an answer, the app's own registration says.
func (r *Clients) HasOrigin(ctx context.Context, origin string) bool {
	r.origins.mu.Lock()
	defer r.origins.mu.Unlock()
	now := r.World.Now()
	if r.origins.readAt.IsZero() || now.Sub(r.origins.readAt) >= originsLife {
		if clients, err := r.Store.Clients(ctx); err == nil { // else the request that asks fails at the store, and says so
			r.origins.known, r.origins.readAt = registered(clients), now
		}
	}
	return r.origins.known[origin]
}

func registered(clients []*loop.Client) map[string]bool {
	known := map[string]bool{}
	for _, client := range clients {
		for _, origin := range client.Protocol.AllowedOrigins {
			known[string(origin)] = known[string(origin)] || client.Standing() == loop.Works
		}
	}
	return known
}

// forget has the origins read anew: a registration has changed here.
func (o *origins) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.readAt = time.Time{}
}
