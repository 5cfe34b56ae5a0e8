package credential_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

func newRing(t testing.TB) (*credential.Ring, *credential.Master, []credential.Key) {
	t.Helper()
	w := loop.Machine{}
	master, _ := credential.NewMaster(w)
	var keys []credential.Key
	for i, purpose := range credential.Purposes() {
		keys = append(keys, newKey(t, w, master, uint32(i)+1, credential.Slot{Purpose: purpose}, w.Now()))
	}
	ring, err := credential.NewRing(w, master, keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring, master, keys
}

func newKey(t testing.TB, w loop.World, master *credential.Master, id uint32, slot credential.Slot, from time.Time) credential.Key {
	t.Helper()
	key, err := credential.NewKey(w, master, id, slot, from)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestForm_RefusesWhatWasNotIssued(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body")
		text := credential.AccessTokenPrefix.Form(body)
		if got, ok := credential.AccessTokenPrefix.Parse(text); !ok || !bytes.Equal(got, body) {
			t.Fatalf("%q does not read back", text)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		typo := []byte(text)
		typo[at] ^= 1
		if _, ok := credential.AccessTokenPrefix.Parse(string(typo)); ok {
			t.Fatalf("a typo at %d passed", at)
		}
		if _, ok := credential.RefreshTokenPrefix.Parse(text); ok {
			t.Fatal("an access token passed for a refresh token")
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(credential.ClientSecretPrefix.Form([]byte("0123456789abcdef")))
	f.Add("secret_")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if body, ok := credential.ClientSecretPrefix.Parse(text); ok && credential.ClientSecretPrefix.Form(body) != text {
			t.Errorf("%q reads as a credential that is written otherwise", text)
		}
	})
}

func TestSecret_CannotBePrinted(t *testing.T) {
	t.Parallel()
	secret := credential.NewSecret(loop.Machine{}, credential.ClientSecretPrefix)
	body, err := json.Marshal(struct{ S credential.Secret }{secret})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret)
	for _, printed := range []string{fmt.Sprint(secret), fmt.Sprintf("%+v", secret), fmt.Sprintf("%#v", secret), fmt.Sprintf("%+v", struct{ S credential.Secret }{secret}), string(body), log.String()} {
		if strings.Contains(printed, secret.Reveal()[10:20]) {
			t.Errorf("the secret shows in %q", printed)
		}
	}
}

func TestRing_OpensOnlyWhatItSealedForThePurpose(t *testing.T) {
	t.Parallel()
	ring, _, _ := newRing(t)
	stranger, _, _ := newRing(t)
	sealed := ring.Seal(credential.ForCodes, []byte("hello"))
	if got, _, err := ring.Open(credential.ForCodes, sealed); err != nil || string(got) != "hello" {
		t.Fatalf("got %q, %v", got, err)
	}
	for name, open := range map[string]func() error{
		"another purpose":  func() error { _, _, err := ring.Open(credential.ForAccessTokens, sealed); return err },
		"another platform": func() error { _, _, err := stranger.Open(credential.ForCodes, sealed); return err },
		"nothing":          func() error { _, _, err := ring.Open(credential.ForCodes, nil); return err },
		"cut short":        func() error { _, _, err := ring.Open(credential.ForCodes, sealed[:len(sealed)-1]); return err },
		"an unknown key id": func() error {
			other := bytes.Clone(sealed)
			other[0] = 0xff
			_, _, err := ring.Open(credential.ForCodes, other)
			return err
		},
	} {
		if err := open(); !errors.Is(err, credential.ErrNotSealed) {
			t.Errorf("%s: got %v, want ErrNotSealed", name, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, _, err := ring.Open(credential.ForCodes, changed); err == nil {
			t.Fatalf("a change at byte %d went unseen", i)
		}
	}
}

func TestRing_SealsReproducibly(t *testing.T) {
	t.Parallel()
	ring, master, keys := newRing(t)
	id := ring.Newest(credential.ForRefreshTokens)
	first, err := ring.SealReproducibly(credential.ForRefreshTokens, id, []byte("chain 1"))
	if err != nil {
		t.Fatal(err)
	}
	reopened, err := credential.NewRing(loop.Machine{}, master, keys)
	if err != nil {
		t.Fatal(err)
	}
	second, err := reopened.SealReproducibly(credential.ForRefreshTokens, id, []byte("chain 1"))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the same plaintext sealed differently after a restart: %v", err)
	}
	other, _ := ring.SealReproducibly(credential.ForRefreshTokens, id, []byte("chain 2"))
	if bytes.Equal(first[4:28], other[4:28]) {
		t.Error("two plaintexts share a nonce")
	}
	if _, err := ring.SealReproducibly(credential.ForCodes, id, nil); err == nil {
		t.Error("a key served another purpose")
	}
}

func TestTagger_KnowsItsTagsAndNoOthers(t *testing.T) {
	t.Parallel()
	ring, _, _ := newRing(t)
	forms := credential.Tagger{Ring: ring, Purpose: credential.ForPages, Label: "forms"}
	tag := forms.Tag([]byte("a cookie"))
	if !forms.Check([]byte("a cookie"), tag) {
		t.Fatal("its own tag is refused")
	}
	stranger, _, _ := newRing(t)
	for name, passed := range map[string]bool{
		"other data":       forms.Check([]byte("another"), tag),
		"no tag":           forms.Check([]byte("a cookie"), nil),
		"cut short":        forms.Check([]byte("a cookie"), tag[:len(tag)-1]),
		"longer":           forms.Check([]byte("a cookie"), append(bytes.Clone(tag), 0)),
		"another label":    credential.Tagger{Ring: ring, Purpose: credential.ForPages, Label: "cursors"}.Check([]byte("a cookie"), tag),
		"another purpose":  credential.Tagger{Ring: ring, Purpose: credential.ForPortal, Label: "forms"}.Check([]byte("a cookie"), tag),
		"another platform": credential.Tagger{Ring: stranger, Purpose: credential.ForPages, Label: "forms"}.Check([]byte("a cookie"), tag),
	} {
		if passed {
			t.Errorf("%s passed", name)
		}
	}
}

func TestRing_TheNextKeyTakesOverAtItsMoment(t *testing.T) {
	t.Parallel()
	w := &movable{now: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)}
	_, master, keys := newRing(t)
	ring, err := credential.NewRing(w, master, keys)
	if err != nil {
		t.Fatal(err)
	}
	forms := credential.Tagger{Ring: ring, Purpose: credential.ForPages, Label: "forms"}
	sealed, tag, old := ring.Seal(credential.ForPages, []byte("hello")), forms.Tag([]byte("x")), ring.Newest(credential.ForPages)
	next := newKey(t, w, master, 99, credential.Slot{Purpose: credential.ForPages}, w.now.Add(time.Minute))
	for i := range keys {
		keys[i].SealsFrom = w.now
	}
	if err := ring.Load(master, append(keys, next)); err != nil {
		t.Fatal(err)
	}
	if ring.Newest(credential.ForPages) != old {
		t.Error("a key seals before its moment")
	}
	w.now = w.now.Add(time.Minute)
	if ring.Newest(credential.ForPages) != 99 {
		t.Error("a key does not seal from its moment on")
	}
	if _, _, err := ring.Open(credential.ForPages, sealed); err != nil || !forms.Check([]byte("x"), tag) {
		t.Errorf("what an older key made is refused: %v", err)
	}
	if each := ring.DeriveEach(credential.ForPages, "x"); len(each) != 2 || each[1] != ring.Derive(credential.ForPages, "x") {
		t.Error("a derived secret is not that of the key at work")
	}
	if err := ring.Load(master, keys[:2]); err == nil || ring.Newest(credential.ForPages) != 99 {
		t.Errorf("a ring with purposes missing: %v, and the keys before it are gone", err)
	}
}

func TestRing_NeedsItsMasterKey(t *testing.T) {
	t.Parallel()
	_, _, keys := newRing(t)
	other, _ := credential.NewMaster(loop.Machine{})
	if _, err := credential.NewRing(loop.Machine{}, other, keys); err == nil || !strings.Contains(err.Error(), "another platform") {
		t.Errorf("got %v, want an error that says whose key it is not", err)
	}
}

func TestPasswords_Argon2id(t *testing.T) {
	t.Parallel()
	passwords := credential.NewPasswords(loop.Machine{}, 1)
	ctx := context.Background()
	hash, err := passwords.Hash(ctx, "correct horse battery staple")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$") {
		t.Fatalf("got %q, %v", hash, err)
	}
	for password, want := range map[string]bool{"correct horse battery staple": true, "correct horse battery stapl": false, "": false} {
		if got, err := passwords.Check(ctx, password, hash); err != nil || got != want {
			t.Errorf("%q: got %v, %v", password, got, err)
		}
	}
	if got, err := passwords.Check(ctx, "", ""); err != nil || got {
		t.Error("an account that is not there let somebody in")
	}
}

// Promise: a storm of sign-ins takes neither the machine nor its memory; whoever
// comes too late is refused at once.
func TestPasswords_ABoundedNumberWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		blocked := credential.NewPasswords(loop.Machine{}, 0)
		answers := make(chan error, 1000)
		for range 1000 {
			go func() {
				_, err := blocked.Check(ctx, "x", "")
				answers <- err
			}()
		}
		synctest.Wait()
		_, waiting, _ := blocked.Load()
		if refused := len(answers); refused == 0 || refused+waiting != 1000 {
			t.Errorf("%d were refused, %d wait", refused, waiting)
		}
		leave()
		for range 1000 {
			if e := loop.AsError(<-answers); e.Code != loop.TemporarilyUnavailable || e.RetryAfter == 0 {
				t.Errorf("whoever finds no room gets %v", e)
			}
		}
		if _, waiting, _ := blocked.Load(); waiting != 0 {
			t.Errorf("%d wait though all have left", waiting)
		}
	})
}
