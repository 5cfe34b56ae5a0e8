package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// fitTimeout is how long a pooler may take to give one session more.
const fitTimeout = 2 * time.Second

// Load is what a server opens of a database.
type Load struct {
	Schemas    int  // of rooms
	MemberKeys bool // and the store of member keys
}

// lease is the connection that holds a server's lease.
const lease = 1

// held is how many sessions a server holds at most with so many connections of each
// kind. There are kinds for each schema: those that read, and those that write.
func (l Load) held(kinds, connections int) int {
	all := kinds*l.Schemas*connections + lease
	if l.MemberKeys {
		all += kinds * KeyConnections(connections)
	}
	return all
}

// KeyConnections is how many connections read the store of member keys at most, and
// write it, beside so many of every other schema (0: DefaultConnections): a quarter,
// since what was read there is remembered for a minute.
func KeyConnections(connections int) int {
	return max(1, cmp.Or(max(connections, 0), DefaultConnections)/4)
}

// Fit lowers a configuration's connections to what a pooler by session has room for
// beside those that it has given away, and says so in the log. The caller opens what
// load says, and keeps others from starting at the same time (Exclusively). A pool
// with room for less than the least is an error that says what that is.
func Fit(ctx context.Context, config Config, load Load) (Config, error) {
	connect, pooled, err := sessions(ctx, shared, config, nil)
	if err != nil || !pooled {
		return config, err
	}
	kinds := 2
	if config.Direct != "" {
		kinds = 1 // reads go another way
	}
	wanted := cmp.Or(max(config.Connections, 0), DefaultConnections)
	room := roomFor(ctx, connect, load.held(kinds, wanted))
	fits := wanted
	for fits > 0 && load.held(kinds, fits) > room {
		fits--
	}
	switch {
	case ctx.Err() != nil:
		return config, ctx.Err()
	case fits < 1:
		return config, fmt.Errorf("the connection pooler has room for %d sessions, and a server holds at least %d, and one more while it starts: make its pool larger (default_pool_size in PgBouncer; %d is enough for %d connections)",
			room, load.held(kinds, 1), load.held(kinds, wanted)+1, wanted)
	case fits < wanted:
		config.Log.WarnContext(ctx, "the connection pooler has no room for all connections of this server: it works with fewer", "connections", fits, "configured", wanted)
		config.Connections = fits
	}
	return config, nil
}

// roomFor counts how many connections there can be at once, up to so many.
func roomFor(ctx context.Context, config *pgx.ConnConfig, most int) (room int) {
	for range most {
		ctx, cancel := context.WithTimeout(ctx, fitTimeout)
		conn, err := pgx.ConnectConfig(ctx, config)
		cancel()
		if err != nil {
			break
		}
		defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it was only counted
		room++
	}
	return room
}
