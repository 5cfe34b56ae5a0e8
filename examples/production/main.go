// Command production is an app as it runs for real members: their tokens sealed in a
// database that all its processes share, keys from its environment, a deadline for
// each request, a log without a token, and a background round that reads what is new
// for everybody.
//
//	export CONNECT_KEYS=$(openssl rand -base64 32)     # the first one seals, all open: new,old
//	. .loop/dev.env && go run ./examples/production
package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // postgres://…
	_ "modernc.org/sqlite"             // a file

	"github.com/loop-health/loop/connect"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv, log); err != nil {
		log.Error("it ends", "cause", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// app is what its requests and its background round share.
type app struct {
	loop *connect.Client
	db   *sql.DB
	log  *slog.Logger
}

func run(ctx context.Context, getenv func(string) string, log *slog.Logger) error {
	a, err := open(ctx, getenv, log)
	if err != nil {
		return err
	}
	defer a.db.Close() //nolint:errcheck // at the end
	redirect, err := url.Parse(getenv("LOOP_REDIRECT_URI"))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "localhost:"+redirect.Port())
	if err != nil {
		return err
	}
	routes, err := a.routes(getenv("LOOP_WEBHOOK_SECRET"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	var background sync.WaitGroup
	background.Go(func() { a.syncEvery(ctx, 15*time.Minute) })
	background.Go(func() {
		<-ctx.Done()
		_ = server.Shutdown(context.WithoutCancel(ctx))
	})
	fmt.Printf("open http://localhost:%s/login\n", redirect.Port())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	background.Wait()
	return nil
}

// docs:begin open

// open opens the store, which the processes of the app share, and makes the client.
func open(ctx context.Context, getenv func(string) string, log *slog.Logger) (*app, error) {
	keys, err := readKeys(getenv("CONNECT_KEYS"))
	if err != nil {
		return nil, err
	}
	driver, dialect, address := "sqlite", connect.SQLite, "production.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)"
	if given := getenv("DATABASE_URL"); given != "" {
		driver, dialect, address = "pgx", connect.PostgreSQL, given
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return nil, err
	}
	store, err := connect.NewSQLStore(ctx, db, dialect, keys)
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS members (id text PRIMARY KEY, results bigint NOT NULL)`); err != nil {
		return nil, err
	}
	loop, err := connect.New(connect.Config{
		Issuer: getenv("LOOP_IDENTITY_URL"), API: getenv("LOOP_CLINICAL_URL"),
		ClientID: getenv("LOOP_CLIENT_ID"), ClientSecret: connect.Secret(getenv("LOOP_CLIENT_SECRET")), RedirectURL: getenv("LOOP_REDIRECT_URI"),
		Store: store, Keys: keys, AfterLogin: "/results", Log: log,
	})
	return &app{loop, db, log}, err
}

// readKeys reads keys in base64, with commas between. To rotate, put a new one in front;
// once everything is sealed anew (SQLStore.Reseal) the old one can go.
func readKeys(text string) (*connect.KeyRing, error) {
	var keys [][]byte
	for _, one := range strings.Split(text, ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(one))
		if err != nil || len(key) != connect.KeyLength {
			return nil, errors.New("CONNECT_KEYS holds no key of 32 bytes in base64: openssl rand -base64 32")
		}
		keys = append(keys, key)
	}
	return connect.NewKeyRing(keys...), nil
}

// docs:end open

// routes is what the app answers: webhooks too, where it has their secret.
func (a *app) routes(webhookSecret string) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("GET /login", a.loop.LoginHandler())
	mux.Handle("GET /callback", a.loop.CallbackHandler())
	mux.HandleFunc("GET /results", a.results)
	mux.HandleFunc("POST /disconnect", a.disconnect)
	if webhookSecret != "" {
		receiver, err := a.webhooks(webhookSecret)
		if err != nil {
			return nil, err
		}
		mux.Handle("POST /webhooks/loop", receiver)
	}
	return mux, nil
}

// requestTimeout is how long a member waits for their page.
const requestTimeout = 20 * time.Second

func (a *app) results(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	member, err := a.loop.Session(r)
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	count, err := a.syncMember(ctx, member)
	switch {
	case errors.Is(err, connect.ErrReconnect), errors.Is(err, connect.ErrNoTokens):
		http.Redirect(w, r, "/login", http.StatusFound)
	case err != nil:
		a.log.ErrorContext(ctx, "reading lab results", "member", member, "cause", err)
		http.Error(w, "Your results can't be read at the moment.", http.StatusBadGateway)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(map[string]int{"results": count}) // the browser has gone: nobody reads the error
	}
}

// disconnect gives the member's tokens back.
func (a *app) disconnect(w http.ResponseWriter, r *http.Request) {
	member, err := a.loop.Session(r)
	if err == nil {
		err = a.loop.Forget(r.Context(), member)
	}
	if err != nil && !errors.Is(err, connect.ErrNoSession) {
		a.log.ErrorContext(r.Context(), "disconnecting", "member", member, "cause", err)
		http.Error(w, "That did not work. Try again.", http.StatusBadGateway)
		return
	}
	a.loop.EndSession(w)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// docs:begin sync

// syncEvery reads what is new for every member, a few of them at once.
func (a *app) syncEvery(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.syncAll(ctx); err != nil {
				a.log.ErrorContext(ctx, "reading what is new", "cause", err)
			}
		}
	}
}

// atOnce is how many members are read at the same moment.
const atOnce = 8

func (a *app) syncAll(ctx context.Context) error {
	members, err := a.members(ctx)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, member := range members {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			one, cancel := context.WithTimeout(ctx, requestTimeout)
			defer cancel()
			_, err := a.syncMember(one, member)
			if err != nil && !errors.Is(err, connect.ErrReconnect) { // who has to connect again sees it at their next visit
				a.log.WarnContext(ctx, "reading what is new", "member", member, "cause", err)
			}
		})
	}
	group.Wait()
	return nil
}

// syncMember counts a member's results, and keeps the number.
func (a *app) syncMember(ctx context.Context, member string) (count int, err error) {
	for _, err := range a.loop.For(member).Biomarkers.All(ctx, connect.BiomarkerQuery{Limit: 500}) {
		if err != nil {
			return 0, err
		}
		count++
	}
	_, err = a.db.ExecContext(ctx, `INSERT INTO members (id, results) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET results = excluded.results`, member, count)
	return count, err
}

// docs:end sync

func (a *app) members(ctx context.Context) (members []string, err error) {
	rows, err := a.db.QueryContext(ctx, `SELECT id FROM members`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err says what went wrong
	for rows.Next() {
		var member string
		if err := rows.Scan(&member); err != nil {
			return nil, err
		}
		members = append(members, member)
	}
	return members, rows.Err()
}
