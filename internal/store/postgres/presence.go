package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// How long a process may serve on what it knows, how often it renews that, and by
// how much the others wait longer for one that has gone silent.
const (
	leaseTime     = 3 * time.Second
	renewInterval = time.Second
	leaseMargin   = time.Second
)

// News is what other processes change and every process must know at once.
type News interface {
	// Revoked applies a revocation with its number.
	Revoked(number uint64, revocation loop.Revocation)
	// ClientChanged forgets what is held of a client.
	ClientChanged(id loop.ClientID)
	// KeysChanged reads the keys again.
	KeysChanged(ctx context.Context) error
	// CutOff forgets whatever is held of clients: for a while, nothing was heard.
	CutOff()
}

// Kinds of news that are no revocations; they are numbered among them.
const (
	clientChanged loop.RevocationKind = "client_changed"
	keysChanged   loop.RevocationKind = "keys_changed"
)

// channel is what revocations notify; the notification says nothing but that there
// is one.
const channel = "loop_revocations"

// Presence makes a process one of many. It holds a lease in the database, and what
// the process knows is complete as long as that runs:
//
//   - the lease is committed before the news are read for the first time;
//   - one statement renews it, reports how much is known and reads all that is
//     newer; it counts from the moment before that statement was sent;
//   - a request is served only on a lease that runs when its header has been read
//     (Live);
//   - who revokes something answers once every lease reports its number, or has run
//     out by the database's clock (await).
//
// So a request that is sent after the answer to a revocation was received is never
// served, on any process, however long one of them was asleep.
//
// The same connection holds the locks of the one process that leads (Leads).
type Presence struct {
	config    *pgx.ConnConfig
	readers   querier
	databases []*Database
	id        string
	world     *loop.Clock
	log       *slog.Logger
	news      News

	until   atomic.Pointer[time.Time] // the lease, with the monotonic clock in it
	applied atomic.Uint64             // the highest number that is known here
	leads   map[Schema]*atomic.Bool
	setBack bool // the database was, under this process

	stop  context.CancelFunc
	ended chan struct{}
}

// Join makes the process one of those that serve: it commits a lease, reads what has
// been revoked, and keeps both up until Leave. The databases are all that the process
// works on; it may come to lead the work on each.
func Join(ctx context.Context, world *loop.Clock, news News, databases ...*Database) (*Presence, error) {
	background, stop := context.WithCancel(context.Background())
	d := databases[0] // what is shared is the same through any
	p := &Presence{
		config: d.connect.Copy(), readers: d, databases: databases, world: world, log: d.config.Log, news: news,
		id: string(loop.NewRequestID(world)), stop: stop, ended: make(chan struct{}), leads: make(map[Schema]*atomic.Bool),
	}
	for _, one := range databases {
		p.leads[one.schema] = new(atomic.Bool)
	}
	p.config.RuntimeParams["application_name"] = "loop presence"
	p.until.Store(&time.Time{})
	conn, err := p.join(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	go p.run(background, conn)
	return p, nil
}

// Live reports whether what this process knows is complete: whether it may serve.
func (p *Presence) Live() bool { return running(*p.until.Load(), time.Now()) }

// running compares by both clocks: the monotonic one cannot be set, the other goes
// on while a machine sleeps.
func running(until, now time.Time) bool {
	return now.Before(until) && now.Round(0).Before(until.Round(0))
}

// Leads reports whether work on a schema that must be done once is this process's to
// do.
func (p *Presence) Leads(schema Schema) bool {
	leads, ok := p.leads[schema]
	return ok && leads.Load() && p.Live()
}

// Applied is the number of the newest revocation that is known here.
func (p *Presence) Applied() uint64 { return p.applied.Load() }

// Leave gives the lease back.
func (p *Presence) Leave() {
	p.stop()
	<-p.ended
}

// run keeps the lease up, on one connection after the other.
func (p *Presence) run(ctx context.Context, conn *pgx.Conn) {
	defer close(p.ended)
	for {
		err := p.keep(ctx, conn)
		for _, leads := range p.leads {
			leads.Store(false)
		}
		p.part(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		p.log.Error("the lease could not be renewed; nothing is served until it can", "cause", store.Unreadable(err))
		for conn = nil; conn == nil; {
			if conn, err = p.join(ctx); err != nil {
				wait(ctx, renewInterval/4)
			}
			if ctx.Err() != nil {
				p.part(ctx, conn)
				return
			}
		}
		p.log.Debug("the lease is renewed")
	}
}

// part closes the connection; at the end of the process it gives the lease back first, so that
// nobody waits for it to run out.
func (p *Presence) part(ctx context.Context, conn *pgx.Conn) {
	if conn == nil {
		return
	}
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if ctx.Err() != nil {
		p.until.Store(&time.Time{})
		_, _ = conn.Exec(final, `DELETE FROM leases WHERE id = $1`, p.id) // else it runs out by itself
	}
	_ = conn.Close(final) // it is given up, whatever comes of it
}

// join connects, commits a lease, and then reads all that it must know. Until it
// has, the lease before runs as long as it runs.
func (p *Presence) join(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return nil, connectFault(err)
	}
	if _, err = conn.Exec(ctx, `LISTEN `+channel); err == nil {
		p.news.CutOff()
		for _, d := range p.databases {
			d.Renew()
		}
		if err = p.news.KeysChanged(ctx); err == nil {
			err = p.renew(ctx, conn)
		}
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("joining those that serve: %w", err)
	}
	return conn, nil
}

// keep renews the lease each second, and whenever something was revoked, until that
// fails.
//
// A statement that has begun is not cut off when the process ends: its connection
// would be gone with it, and the lease, which the end gives back, would run on.
func (p *Presence) keep(ctx context.Context, conn *pgx.Conn) error {
	asking := context.WithoutCancel(ctx)
	for {
		if err := p.lead(asking, conn); err != nil {
			return err
		}
		notified, cancel := context.WithTimeout(ctx, renewInterval)
		_, err := conn.WaitForNotification(notified)
		cancel()
		if err != nil && !pgconn.Timeout(err) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if err := p.renew(asking, conn); err != nil {
			return err
		}
	}
}

// lead takes the leaders' locks as soon as they are free. They end with the connection.
func (p *Presence) lead(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTime)
	defer cancel()
	for schema, leads := range p.leads {
		if leads.Load() {
			continue
		}
		var got bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, $2)`, locksLeading, roomOf(schema).leading).Scan(&got); err != nil {
			return err
		}
		leads.Store(got)
	}
	return nil
}

// renew renews the lease until everything that is known is reported, too.
//
// A statement can have begun to read before a revocation, and end after somebody had
// found this lease run out and not waited for it. So what was read is complete only
// if the lease before it still ran when the answer came; else it is read again, now
// that the renewed lease is there for all to see.
func (p *Presence) renew(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTime)
	defer cancel()
	before := *p.until.Load()
	for {
		reported := p.applied.Load()
		until, err := p.renewOnce(ctx, conn, reported)
		if err != nil {
			return err
		}
		complete := running(before, time.Now())
		before = until
		if !complete {
			continue
		}
		p.until.Store(&until)
		if p.applied.Load() == reported {
			return nil
		}
	}
}

// knownForms is up to which change of a stored form this version knows, as its lease
// says (forms.go).
const knownForms = 2

// aheadAtMost is by how much a process's clock may be ahead of the database's for the
// others to follow it: what one issues is then not too old at the next. One that is
// further ahead is alone with it.
const aheadAtMost = 5 * time.Minute

// renewOnce renews the lease, reports what is known and applies what is newer, in
// one statement. The lease that it gives counts from before that was sent.
func (p *Presence) renewOnce(ctx context.Context, conn *pgx.Conn, reported uint64) (until time.Time, err error) {
	if p.setBack {
		return until, errSetBack
	}
	until = time.Now().Add(leaseTime)
	rows, err := conn.Query(ctx, `
WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now),
lease AS (
	INSERT INTO leases AS l (id, applied, expires_at, ahead, knows) VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 microsecond', $4 - (SELECT now FROM clock), $6)
	ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, expires_at = greatest(l.expires_at, excluded.expires_at), ahead = excluded.ahead
	RETURNING id),
others AS (SELECT greatest(0, max(ahead)) AS ahead FROM leases WHERE expires_at > clock_timestamp() AND ahead <= $5)
SELECT (SELECT now FROM clock) + (SELECT ahead FROM others), (SELECT value FROM revocation_counter), coalesce(r.number, 0), coalesce(r.kind, ''), coalesce(r.id, ''), coalesce(r.expires_at, 0)
FROM lease LEFT JOIN revocations AS r ON r.number > $2 ORDER BY r.number`, p.id, reported, leaseTime.Microseconds(), p.world.World.Now().UnixMicro(), aheadAtMost.Microseconds(), knownForms)
	if err != nil {
		return until, err
	}
	all, err := collect(rows, func(row tables.Scanner) (n newsItem, err error) {
		err = row.Scan(&n.now, &n.counter, &n.number, &n.kind, &n.id, &n.expires)
		return n, err
	})
	if err != nil {
		return until, err
	}
	if p.setBack = len(all) > 0 && all[0].counter < reported; p.setBack {
		return until, errSetBack
	}
	return until, p.apply(ctx, all)
}

// errSetBack ends a process whose database lost what it had read there: numbers that
// it knows will be given to others.
var errSetBack = errors.New("the database was set back to an earlier moment: stop every server, and run loop restore --as-it-is")

// newsItem is a row of revocations, and when it was read.
type newsItem struct {
	now, expires    int64
	counter, number uint64 // the newest, and its own; 0: it is none
	kind            loop.RevocationKind
	id              string
}

// apply takes in what was read, in order. An error leaves the rest for the next time.
func (p *Presence) apply(ctx context.Context, all []newsItem) error {
	reload := false
	highest := p.applied.Load()
	for _, n := range all {
		p.world.Agree(store.FromMicro(n.now)) // time is the database's, or that of the process that is furthest ahead
		switch n.kind {
		case "":
		case clientChanged:
			p.news.ClientChanged(loop.ClientID(n.id))
		case keysChanged:
			reload = true
		default:
			p.news.Revoked(n.number, loop.Revocation{Kind: n.kind, ID: n.id, ExpiresAt: store.FromMicro(n.expires)})
		}
		highest = max(highest, n.number)
	}
	if reload {
		if err := p.news.KeysChanged(ctx); err != nil {
			return err
		}
	}
	p.applied.Store(highest)
	return nil
}

// How often it is looked whether everybody knows: soon at first.
const (
	firstLook = time.Millisecond
	lastLook  = 32 * time.Millisecond
)

// selectOthers asks whether others may serve, or not have stopped for long enough: $1
// is a lease's own id, $2 the margin.
const selectOthers = `SELECT EXISTS (SELECT 1 FROM leases WHERE id <> $1 AND expires_at > clock_timestamp() - $2::bigint * interval '1 microsecond')`

// await returns once every other process knows of a number, or cannot serve without
// finding it. The error is that nobody knows: it was committed all the same.
func (p *Presence) await(ctx context.Context, number uint64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*(leaseTime+leaseMargin))
	defer cancel()
	for every := firstLook; ; every = min(2*every, lastLook) {
		var waits bool
		err := p.readers.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM leases WHERE applied < $1 AND id <> $2 AND expires_at > clock_timestamp() - $3::bigint * interval '1 microsecond')`,
			number, p.id, leaseMargin.Microseconds()).Scan(&waits)
		switch {
		case err == nil && !waits:
			return nil
		case ctx.Err() != nil:
			return store.Uncertain(errors.Join(err, ctx.Err()))
		}
		wait(ctx, every)
	}
}
