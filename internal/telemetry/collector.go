package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
)

// Figures is how a platform does at a moment.
type Figures struct {
	Databases map[string]store.Figures // by name: identity, clinical

	Revocations       int    // held in memory
	RevocationCounter uint64 // the highest number that this process knows

	Backlog map[string]int64 // rows that are due to be swept, by what they are

	Sent    map[outbox.Kind]outbox.Counts  // attempts to deliver messages, since the start
	Waiting map[outbox.Kind]outbox.Waiting // messages on their way

	UncheckedRecords int64     // audit records since the newest checkpoint
	CheckedAt        time.Time // when the newest checkpoint was made; zero: never

	ClockAhead time.Duration // of what was said or stored before the clock

	Refused      map[string]uint64 // requests over a limit since the start, by class
	CountedAlone uint64            // requests that could not be counted with other processes

	Hashing     int // passwords that are being hashed
	HashesWait  int // and those that wait for it
	HashesAtOne int // how many are hashed at once, at most
}

// figures reads the platform at each scrape.
type figures struct {
	read func(context.Context) Figures
}

// Watch has the platform's figures read at each scrape. Call it once.
func (m *Metrics) Watch(read func(context.Context) Figures) { m.registry.MustRegister(figures{read}) }

// kind is one metric that is read from the figures.
type kind struct {
	description *prometheus.Desc
	value       prometheus.ValueType
}

func gauge(name, help string, labels ...string) kind {
	return kind{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue}
}

func counter(name, help string, labels ...string) kind {
	return kind{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue}
}

var (
	writesWaiting     = gauge("loop_writes_waiting", "Acts that wait for the writer's next commit.", "database")
	connections       = gauge("loop_database_connections", "Connections of the pool, by state.", "database", "state")
	connectionWaits   = counter("loop_database_connection_waits_total", "How often a read waited for a connection.", "database")
	connectionWaited  = counter("loop_database_connection_wait_seconds_total", "How long reads waited for connections.", "database")
	statements        = counter("loop_database_statements_total", "SQL statements that were run.", "database")
	revocationSet     = gauge("loop_revocations", "Revocations held in memory.")
	revocationCounter = gauge("loop_revocation_counter", "The highest number of a revocation that this process knows.")
	sweepBacklog      = gauge("loop_sweep_backlog_rows", "Rows that are due to be swept, up to 10,000.", "what")
	deliveryAttempts  = counter("loop_delivery_attempts_total", "Attempts to deliver messages to the outside, by kind and by what became of them.", "kind", "outcome")
	deliveriesWaiting = gauge("loop_deliveries_waiting", "Messages on their way, by kind, up to 10,000.", "kind")
	deliveryOverdue   = gauge("loop_delivery_overdue_seconds", "How long the message that waits longest has been due; else 0.", "kind")
	auditRecords      = gauge("loop_audit_unchecked_records", "Audit records since the newest checkpoint.")
	auditAge          = gauge("loop_audit_checkpoint_age_seconds", "How old the newest checkpoint is, where records have come since; else 0.")
	clockAhead        = gauge("loop_clock_ahead_seconds", "By how much the newest moment that was said or stored is ahead of the clock: more than a minute says that the clock is or was wrong.")
	limitRefusals     = counter("loop_limit_refusals_total", "Requests that were over a limit, by class.", "class")
	limitsAlone       = counter("loop_limit_alone_total", "Requests that this process counted for itself, since the limits' common server did not answer.")
	passwordHashes    = gauge("loop_password_hashes", "Passwords that are being hashed (working), wait for it (waiting), and may be at once (room).", "state")
)

// Describe names the metrics.
func (figures) Describe(to chan<- *prometheus.Desc) {
	for _, k := range []kind{
		writesWaiting, connections, connectionWaits, connectionWaited, statements, revocationSet, revocationCounter,
		sweepBacklog, deliveryAttempts, deliveriesWaiting, deliveryOverdue, auditRecords, auditAge, clockAhead, limitRefusals, limitsAlone, passwordHashes,
	} {
		to <- k.description
	}
}

// scrapeTimeout bounds what a scrape asks of the database.
const scrapeTimeout = 5 * time.Second

// Collect reads the figures.
func (f figures) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	now := f.read(ctx)
	put := func(k kind, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(k.description, k.value, value, labels...)
	}
	for name, d := range now.Databases {
		put(writesWaiting, float64(d.Waiting), name)
		put(connections, float64(d.InUse), name, "in_use")
		put(connections, float64(d.Open-d.InUse), name, "idle")
		put(connectionWaits, float64(d.Waited), name)
		put(connectionWaited, d.WaitedFor.Seconds(), name)
		put(statements, float64(d.Statements), name)
	}
	put(revocationSet, float64(now.Revocations))
	put(revocationCounter, float64(now.RevocationCounter))
	for what, rows := range now.Backlog {
		put(sweepBacklog, float64(rows), what)
	}
	for kind, sent := range now.Sent {
		put(deliveryAttempts, float64(sent.Delivered), string(kind), "delivered")
		put(deliveryAttempts, float64(sent.Failed), string(kind), "failed")
		put(deliveryAttempts, float64(sent.GivenUp), string(kind), "given_up")
		put(deliveryAttempts, float64(sent.Obsolete), string(kind), "obsolete")
		put(deliveriesWaiting, float64(now.Waiting[kind].Messages), string(kind))
		put(deliveryOverdue, overdue(now.Waiting[kind]).Seconds(), string(kind))
	}
	put(auditRecords, float64(now.UncheckedRecords))
	put(auditAge, now.checkpointAge().Seconds())
	put(clockAhead, now.ClockAhead.Seconds())
	for class, refused := range now.Refused {
		put(limitRefusals, float64(refused), class)
	}
	put(limitsAlone, float64(now.CountedAlone))
	put(passwordHashes, float64(now.Hashing), "working")
	put(passwordHashes, float64(now.HashesWait), "waiting")
	put(passwordHashes, float64(now.HashesAtOne), "room")
}

// checkpointAge is how long records have gone without a checkpoint.
func (f Figures) checkpointAge() time.Duration {
	if f.UncheckedRecords == 0 || f.CheckedAt.IsZero() {
		return 0
	}
	return time.Since(f.CheckedAt)
}

// overdue is how long the message that waits longest has been due.
func overdue(w outbox.Waiting) time.Duration {
	if w.OldestAt.IsZero() {
		return 0
	}
	return max(0, time.Since(w.OldestAt))
}
