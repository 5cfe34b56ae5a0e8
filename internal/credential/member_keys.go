package credential

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loop-health/loop/internal/loop"
)

// MemberKeyStore is where the data keys of members are kept, wrapped. It is no part
// of what the keys seal, nor of that's backups: a key that is destroyed here is gone.
type MemberKeyStore interface {
	// Roots reads the sealings of the root secret, newest first; none where there is
	// no root yet.
	Roots(ctx context.Context) ([][]byte, error)
	// AddRoot keeps a sealing of the root secret beside those that are there.
	AddRoot(ctx context.Context, sealed []byte) error
	// KeepNewestRoot deletes all sealings of the root secret but the newest.
	KeepNewestRoot(ctx context.Context) error

	// MemberKey reads a wrapped key; loop.ErrNotFound where there is none, ErrErased
	// where the member was erased.
	MemberKey(ctx context.Context, member loop.MemberID, use DataUse) (wrapped []byte, err error)
	// AddMemberKey keeps a wrapped key, durably, unless there is one, and gives the one
	// that is there then. ErrErased where the member was erased.
	AddMemberKey(ctx context.Context, member loop.MemberID, use DataUse, wrapped []byte) (kept []byte, err error)
	// EraseMember destroys a member's keys for good, and notes that: the member gets
	// none ever again. When it returns, neither the store nor its files hold the keys.
	// Done twice it changes nothing.
	EraseMember(ctx context.Context, member loop.MemberID, at time.Time) error
	// ErasedMembers lists who was erased.
	ErasedMembers(ctx context.Context) ([]loop.MemberID, error)
}

// ErrErased is returned where a member's keys were destroyed.
var ErrErased = errors.New("the member was erased: their data keys were destroyed")

// MemberKeys gives the data keys of members, opened. It is safe for concurrent use.
type MemberKeys struct {
	store MemberKeyStore
	world loop.World

	secret    []byte // the root, from which the two below are derived
	wrapping  *DataKey
	addresses [32]byte
	opened    dataKeyCache
	begin     func(ctx context.Context) error // keeps a root that is new; nil: it is stored
}

// OpenMemberKeys opens a store of member keys with the master key. Where it has no root
// yet, one is made, which Begin keeps: no two processes may do that at the same time.
func OpenMemberKeys(ctx context.Context, store MemberKeyStore, w loop.World, master *Master) (*MemberKeys, error) {
	sealings, err := store.Roots(ctx)
	if err != nil {
		return nil, err
	}
	k := &MemberKeys{store: store, world: w, opened: dataKeyCache{world: w}}
	if len(sealings) == 0 {
		k.secret = make([]byte, 32)
		_, _ = w.Read(k.secret)
		k.begin = func(ctx context.Context) error { return k.addRoot(ctx, master) }
	} else {
		k.secret, err = openRoot(master, sealings)
	}
	if err != nil {
		return nil, err
	}
	if k.wrapping, err = newDataKey(k.secret); err != nil {
		return nil, err
	}
	addresses, err := hkdf.Key(sha256.New, k.secret, nil, "loop member addresses", 32)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of addresses: %w", err)
	}
	k.addresses = [32]byte(addresses)
	return k, nil
}

// IsNew reports whether the store had no root when it was opened: no key is in it.
func (k *MemberKeys) IsNew() bool { return k.begin != nil }

// Begin keeps the root of a store that is new. It comes before the first key.
func (k *MemberKeys) Begin(ctx context.Context) error {
	if k.begin == nil {
		return nil
	}
	if err := k.begin(ctx); err != nil {
		return fmt.Errorf("making the store of member keys: %w", err)
	}
	k.begin = nil
	return nil
}

// rootAs binds a sealing of the root secret to what it is.
var rootAs = []byte("loop member keys root 1")

func (k *MemberKeys) addRoot(ctx context.Context, master *Master) error {
	aead, err := chacha20poly1305.NewX(master.secret[:])
	if err != nil {
		return fmt.Errorf("sealing the root of member keys: %w", err)
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = k.world.Read(nonce)
	return k.store.AddRoot(ctx, aead.Seal(nonce, nonce, k.secret, rootAs))
}

// openRoot opens one of the sealings: while the master key is replaced there are two.
func openRoot(master *Master, sealings [][]byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(master.secret[:])
	if err != nil {
		return nil, fmt.Errorf("opening the root of member keys: %w", err)
	}
	for _, sealed := range sealings {
		if len(sealed) < chacha20poly1305.NonceSizeX {
			continue
		}
		if secret, err := aead.Open(nil, sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:], rootAs); err == nil {
			return secret, nil
		}
	}
	return nil, errors.New("the master key does not open the store of member keys: it is another platform's, or loop keys rewrap has replaced it, and the newest one is needed")
}

// AddMaster seals the root under one more master key; from then on both open it.
func (k *MemberKeys) AddMaster(ctx context.Context, master *Master) error {
	return k.addRoot(ctx, master)
}

// KeepNewestMaster ends the master keys before the newest.
func (k *MemberKeys) KeepNewestMaster(ctx context.Context) error { return k.store.KeepNewestRoot(ctx) }

// Key gives a member's key; loop.ErrNotFound where none was made, ErrErased where the
// member was erased.
func (k *MemberKeys) Key(ctx context.Context, member loop.MemberID, use DataUse) (*DataKey, error) {
	if key := k.opened.get(member, use); key != nil {
		return key, nil
	}
	wrapped, err := k.store.MemberKey(ctx, member, use)
	if err != nil {
		return nil, err
	}
	return k.open(member, use, wrapped)
}

// Make gives a member's key, which is made, and durable, where there is none.
func (k *MemberKeys) Make(ctx context.Context, member loop.MemberID, use DataUse) (*DataKey, error) {
	key, err := k.Key(ctx, member, use)
	if !errors.Is(err, loop.ErrNotFound) {
		return key, err
	}
	secret := make([]byte, 32)
	_, _ = k.world.Read(secret)
	kept, err := k.store.AddMemberKey(ctx, member, use, k.wrapping.Seal(k.world, keyOf(member, use), secret))
	if err != nil {
		return nil, err
	}
	return k.open(member, use, kept)
}

func (k *MemberKeys) open(member loop.MemberID, use DataUse, wrapped []byte) (*DataKey, error) {
	secret, err := k.wrapping.Open(keyOf(member, use), wrapped)
	if err != nil {
		return nil, fmt.Errorf("the data key %s of %s is damaged: %w", use, member, err)
	}
	key, err := newDataKey(secret)
	if err == nil {
		k.opened.put(member, use, key)
	}
	return key, err
}

func keyOf(member loop.MemberID, use DataUse) string {
	return "key " + string(use) + " " + string(member)
}

// Erase destroys a member's keys: nothing that they sealed can be read again, in no
// copy of it. Another process may hold a key in memory for a minute more.
func (k *MemberKeys) Erase(ctx context.Context, member loop.MemberID) error {
	k.opened.drop(member)
	if err := k.store.EraseMember(ctx, member, k.world.Now()); err != nil {
		return err
	}
	k.opened.drop(member) // one that was read in between
	return nil
}

// Erased lists the members whose keys were destroyed. It outlives every restore of
// the data.
func (k *MemberKeys) Erased(ctx context.Context) ([]loop.MemberID, error) {
	return k.store.ErasedMembers(ctx)
}

// Address is the hash by which an e-mail address is looked up: without the store of
// member keys nobody can tell whose it is.
func (k *MemberKeys) Address(email loop.Email) [sha256.Size]byte {
	mac := hmac.New(sha256.New, k.addresses[:])
	mac.Write([]byte(email))
	return [sha256.Size]byte(mac.Sum(nil))
}
