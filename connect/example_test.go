package connect_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"golang.org/x/oauth2"

	"github.com/loop-health/loop/connect"
)

// client is one as an app makes it.
func client() *connect.Client {
	loop, err := connect.New(connect.Config{
		Issuer: "https://identity.platform.loop.health", API: "https://clinical.platform.loop.health",
		ClientID: "client_01K9Z6V2QX8M4T7R3E5W1B0N6C", ClientSecret: "secret", RedirectURL: "https://app.example.com/callback",
	})
	if err != nil {
		panic(err)
	}
	return loop
}

func ExampleNew() {
	_, err := connect.New(connect.Config{Issuer: "http://identity.example.com", API: "https://clinical.example.com", RedirectURL: "http://localhost:5000/callback"})
	fmt.Println(err)
	// Output:
	// connect: ClientID is missing
	// connect: Issuer "http://identity.example.com" must be https; http is for localhost alone
}

func ExampleClient_LoginHandler() {
	loop := client()
	mux := http.NewServeMux()
	mux.Handle("GET /login", loop.LoginHandler()) // /login?return_to=/results
	mux.Handle("GET /callback", loop.CallbackHandler())
	mux.HandleFunc("GET /results", func(w http.ResponseWriter, r *http.Request) {
		member, err := loop.Session(r)
		if errors.Is(err, connect.ErrNoSession) {
			http.Redirect(w, r, "/login?return_to=/results", http.StatusFound)
			return
		}
		_, _ = fmt.Fprintln(w, "Hello", member)
	})
	mux.HandleFunc("POST /signout", func(w http.ResponseWriter, r *http.Request) {
		loop.EndSession(w)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
}

// Who has sessions of their own takes the steps one by one.
func ExampleClient_Begin() {
	loop := client()
	flows := map[string]connect.Flow{} // in the app's own sessions, by the browser
	http.HandleFunc("GET /connect", func(w http.ResponseWriter, r *http.Request) {
		address, flow, err := loop.Begin(r.Context(), "/results")
		if err != nil {
			http.Error(w, "Loop can't be reached", http.StatusBadGateway)
			return
		}
		flows["this browser"] = flow
		http.Redirect(w, r, address, http.StatusFound)
	})
	http.HandleFunc("GET /connected", func(w http.ResponseWriter, r *http.Request) {
		login, err := loop.Finish(r.Context(), flows["this browser"], r.URL.Query())
		if denied, ok := errors.AsType[*connect.Error](err); ok && denied.Code == "access_denied" {
			_, _ = fmt.Fprintln(w, "You said no, and that is fine.")
			return
		}
		if errors.Is(err, connect.ErrForeignAnswer) {
			http.Error(w, "This began in another browser. Connect again in this one.", http.StatusBadRequest)
			return
		}
		if err != nil {
			http.Error(w, "Begin again", http.StatusBadRequest)
			return
		}
		if err := loop.StartSession(w, login.Member); err != nil {
			http.Error(w, "Begin again", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, login.ReturnTo, http.StatusSeeOther)
	})
}

func ExampleBiomarkers_All() {
	loop, ctx := client(), context.Background()
	for result, err := range loop.For("user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B").Biomarkers.All(ctx, connect.BiomarkerQuery{Category: "lipids", From: time.Now().AddDate(-1, 0, 0)}) {
		if errors.Is(err, connect.ErrReconnect) {
			return // show the Connect button
		}
		if err != nil {
			slog.Error("it did not work", "cause", err)
			return
		}
		fmt.Println(result.Name, result.Value, result.Unit)
	}
}

func ExampleBiomarkers_List() {
	loop, ctx := client(), context.Background()
	page, err := loop.For("user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B").Biomarkers.List(ctx, connect.BiomarkerQuery{Latest: true})
	if err != nil {
		slog.Error("it did not work", "cause", err)
		return
	}
	fmt.Println(len(page.Biomarkers), "results, and more behind", page.Next)
}

func ExampleMember_HTTP() {
	loop := client()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://clinical.platform.loop.health/v1/biomarkers/me?limit=1", http.NoBody)
	if err != nil {
		panic(err)
	}
	response, err := loop.For("user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B").HTTP().Do(r)
	if err != nil {
		slog.Error("it did not work", "cause", err)
		return
	}
	defer response.Body.Close() //nolint:errcheck // it was read
}

func ExampleMember_Profile() {
	loop, ctx := client(), context.Background()
	profile, err := loop.For("user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B").Profile(ctx)
	if err == nil {
		fmt.Println("Hello", profile.Name)
	}
}

func ExampleClient_Tokens() {
	loop, ctx := client(), context.Background()
	tokens, err := loop.Tokens(ctx, "user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B")
	if err == nil && !tokens.Has("read:biomarkers") {
		fmt.Println("they left lab results out")
	}
	if _, err := loop.Refresh(ctx, "user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B"); errors.Is(err, connect.ErrNoTokens) {
		fmt.Println("they never connected")
	}
	// Output: they never connected
}

func ExampleClient_TokenSource() {
	loop, ctx := client(), context.Background()
	other := oauth2.NewClient(ctx, loop.TokenSource(ctx, "user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B")) // whatever takes a TokenSource
	_ = other
}

func ExampleClient_Forget() {
	loop, ctx := client(), context.Background()
	fmt.Println(loop.Forget(ctx, "user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B"))
	// Output: <nil>
}

func ExampleNewSQLStore() {
	ctx := context.Background()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL")) // the driver is yours to import
	if err != nil {
		slog.Error("it did not work", "cause", err)
		return
	}
	key, err := base64.StdEncoding.DecodeString(os.Getenv("CONNECT_KEY"))
	if err != nil {
		slog.Error("it did not work", "cause", err)
		return
	}
	dialect := connect.PostgreSQL
	if os.Getenv("DATABASE") == "sqlite" {
		dialect = connect.SQLite
	}
	store, err := connect.NewSQLStore(ctx, db, dialect, connect.NewKeyRing(key))
	if err != nil {
		slog.Error("it did not work", "cause", err)
		return
	}
	if _, err := store.Reseal(ctx); err != nil { // once a new key is in front
		slog.Error("it did not work", "cause", err)
	}
}

func ExampleNewKeyRing() {
	old := connect.NewKeyBytes() // kept where the app's other secrets are
	newer := connect.NewKeyBytes()
	keys := connect.NewKeyRing(newer, old) // the first seals, all of them open
	fmt.Println(keys, "of", connect.KeyLength, "bytes each")
	// Output: KeyRing of 2 of 32 bytes each
}

func ExampleNewFileStore() {
	folder, err := os.MkdirTemp("", "tokens")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // of this example alone
	store, err := connect.NewFileStore(folder, connect.NewKeyRing(connect.NewKeyBytes()))
	if err != nil {
		panic(err)
	}
	_, err = store.Load(context.Background(), "user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B")
	fmt.Println(err)
	// Output: no tokens are kept for this member
}

func ExampleStore() {
	var store connect.Store = connect.NewMemoryStore()
	ctx := context.Background()
	unlock, err := store.Lock(ctx, "user_1")
	if err != nil {
		panic(err)
	}
	defer unlock()
	fmt.Println(store.Save(ctx, "user_1", 0, connect.Tokens{Access: "one"}))
	err = store.Save(ctx, "user_1", 0, connect.Tokens{Access: "another"})
	fmt.Println(errors.Is(err, connect.ErrChanged), err)
	stored, err := store.Load(ctx, "user_1")
	fmt.Println(stored.Version > 0, err)
	fmt.Println(store.Delete(ctx, "user_1"))
	// Output:
	// <nil>
	// true the tokens were changed by somebody else in the meantime
	// true <nil>
	// <nil>
}

func ExampleSecret() {
	tokens := connect.Tokens{Access: "lph_at_example", Refresh: "lph_rt_example"}
	fmt.Printf("%+v\n", tokens.Access)
	slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})).Info("refreshed", "token", tokens.Access)
	// Output:
	// [secret]
	// level=INFO msg=refreshed token=[secret]
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func ExampleNewKey() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // keep it: its public part is registered
	if err != nil {
		panic(err)
	}
	key, err := connect.NewKey(private, "2026-03")
	if err != nil {
		panic(err)
	}
	fmt.Println(key)
	_ = connect.Config{ClientKey: key, ProofKey: key} // private_key_jwt, and DPoP
	// Output: Key "2026-03"
}

func ExampleHooks() {
	_ = connect.Config{Hooks: connect.Hooks{
		Request: func(_ context.Context, method, path string, attempt int) func(int, error) {
			began := time.Now()
			return func(status int, _ error) {
				slog.Info("asked Loop", "method", method, "path", path, "attempt", attempt, "status", status, "took", time.Since(began))
			}
		},
	}}
}
