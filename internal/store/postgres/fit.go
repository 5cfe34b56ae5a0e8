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

// Fit lowers a configuration's connections to what a pooler by session has room for
// beside those that it has given away, and says so in the log. The caller works on so
// many schemas, and keeps others from starting at the same time (Exclusively). A pool
// with room for less than the least is an error that says what that is.
func Fit(ctx context.Context, config Config, schemas int) (Config, error) {
	connect, pooled, err := sessions(ctx, shared, config, nil)
	if err != nil || !pooled {
		return config, err
	}
	kinds := 2 * schemas // those that read, and those that write
	if config.Direct != "" {
		kinds = schemas // reads go another way
	}
	const lease = 1
	wanted := cmp.Or(max(config.Connections, 0), DefaultConnections)
	room := roomFor(ctx, connect, kinds*wanted+lease)
	fits := (room - lease) / kinds
	switch {
	case ctx.Err() != nil:
		return config, ctx.Err()
	case fits < 1:
		return config, fmt.Errorf("the connection pooler has room for %d sessions, and a server holds at least %d, and one more while it starts: make its pool larger (default_pool_size in PgBouncer; %d is enough for %d connections)",
			room, kinds+lease, kinds*wanted+lease+1, wanted)
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
