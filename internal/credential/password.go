package credential

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Parameters of argon2id: RFC 9106 §4's second choice with OWASP's memory, so
// that a sign-in costs some tens of milliseconds.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
)

// Passwords hashes and checks passwords, a few at a time: each hash takes 19
// MiB, and a crowd of them must not take the machine.
type Passwords struct {
	world loop.World
	queue *queue
}

// NewPasswords allows that many hashes at once.
func NewPasswords(w loop.World, atOnce int) *Passwords {
	return &Passwords{world: w, queue: newQueue(atOnce)}
}

// Hash makes the text that is stored for a password (PHC string format).
// TemporarilyUnavailable where there is no room, or ctx ends before.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	_, _ = p.world.Read(salt)
	key, err := p.derive(ctx, choosing, password, salt)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// Check reports whether the password is the one that was hashed. For an empty
// hash, an account that is not there, the same work is done and the answer is no.
// TemporarilyUnavailable as with Hash, before which it has its turn.
func (p *Passwords) Check(ctx context.Context, password, hash string) (bool, error) {
	salt, want := parseHash(hash)
	got, err := p.derive(ctx, proving, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (p *Passwords) derive(ctx context.Context, turn turn, password string, salt []byte) ([]byte, error) {
	leave, err := p.queue.enter(ctx, loop.NetworkOf(audit.OriginOf(ctx).Address), turn)
	if err != nil {
		return nil, err
	}
	defer leave()
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey), nil
}

// Load is how many passwords are being hashed, how many wait for it, and how many
// can be at once.
func (p *Passwords) Load() (working, waiting, room int) { return p.queue.load() }

// parseHash takes salt and key out of a stored hash; of anything else, a salt
// of zeros and a key that nothing derives.
func parseHash(hash string) (salt, key []byte) {
	head := fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonTime, argonThreads)
	rest, ok := strings.CutPrefix(hash, head)
	saltText, keyText, cut := strings.Cut(rest, "$")
	if ok && cut {
		salt, saltErr := base64.RawStdEncoding.DecodeString(saltText)
		key, keyErr := base64.RawStdEncoding.DecodeString(keyText)
		if saltErr == nil && keyErr == nil {
			return salt, key
		}
	}
	return make([]byte, argonSalt), nil
}
