package postgres

import (
	"context"
	"fmt"
	"time"
)

// ClockAhead is by how much this machine's clock is ahead of the database's; the way
// there and back counts for neither.
func ClockAhead(ctx context.Context, config Config) (time.Duration, error) {
	conn, err := connectTo(ctx, config)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	var database time.Time
	asked := config.World.Now()
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&database); err != nil {
		return 0, fmt.Errorf("asking the database's clock: %w", err)
	}
	answered := config.World.Now()
	return asked.Add(answered.Sub(asked) / 2).Sub(database), nil
}
