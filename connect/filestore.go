package connect

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// FileStore keeps tokens in a folder, a sealed file for each member: for a tool on one
// machine. Several processes may share it on Unix; elsewhere one may use it at a time.
// Printed it shows no key.
type FileStore struct {
	folder string
	sealer sealer
	memory *MemoryStore // whose locks are this process's
	mu     sync.Mutex   // one write at a time, here
}

// NewFileStore keeps tokens in a folder, which it makes for its owner alone.
func NewFileStore(folder string, keys *KeyRing) (*FileStore, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of tokens: %w", err)
	}
	return &FileStore{folder: folder, sealer: sealer{keys, "tokens in files"}, memory: NewMemoryStore()}, nil
}

// Format shows no key, whatever the verb.
func (s *FileStore) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "FileStore in ", s.folder) }

// path is a member's file: ids are no names of files.
func (s *FileStore) path(member string) string {
	sum := sha256.Sum256([]byte(member))
	return filepath.Join(s.folder, hex.EncodeToString(sum[:16]))
}

const versionLength = 8

// Load gives what is kept for a member.
func (s *FileStore) Load(_ context.Context, member string) (stored Stored, err error) {
	content, err := os.ReadFile(s.path(member))
	if errors.Is(err, fs.ErrNotExist) {
		return stored, ErrNoTokens
	}
	if err != nil {
		return stored, fmt.Errorf("reading a member's tokens: %w", err)
	}
	if len(content) < versionLength {
		return stored, fmt.Errorf("the tokens of %s: %w", member, errNotSealed)
	}
	stored.Version = int64(binary.BigEndian.Uint64(content)) //nolint:gosec // G115: it was one
	stored.Tokens, _, err = s.sealer.openTokens(content[versionLength:], member)
	return stored, err
}

// Save keeps tokens.
func (s *FileStore) Save(ctx context.Context, member string, version int64, tokens Tokens) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	release, err := lockFile(ctx, s.path(member)+".save")
	if err != nil {
		return fmt.Errorf("writing a member's tokens: %w", err)
	}
	defer release()
	held, err := s.Load(ctx, member)
	if err != nil && !errors.Is(err, ErrNoTokens) && version >= 0 {
		return err
	}
	if version >= 0 && held.Version != version {
		return ErrChanged
	}
	sealed, err := s.sealer.sealTokens(tokens, member)
	if err != nil {
		return err
	}
	content := binary.BigEndian.AppendUint64(nil, uint64(nextVersion(held.Version))) //nolint:gosec // G115: it is positive
	if err := s.replace(s.path(member), append(content, sealed...)); err != nil {
		return fmt.Errorf("writing a member's tokens: %w", err)
	}
	return nil
}

// replace puts a file in place of another, durably: whole or not at all.
func (s *FileStore) replace(path string, content []byte) error {
	file, err := os.CreateTemp(s.folder, "*.new")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it has another name by then
	if _, err = file.Write(content); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(s.folder)
}

// Delete forgets a member.
func (s *FileStore) Delete(_ context.Context, member string) error {
	if err := os.Remove(s.path(member)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting a member: %w", err)
	}
	return syncFolder(s.folder)
}

// Lock takes the member's lock: in this process, and then among all. The operating
// system frees it when a process dies.
func (s *FileStore) Lock(ctx context.Context, member string) (unlock func(), err error) {
	here, err := s.memory.Lock(ctx, member)
	if err != nil {
		return nil, err
	}
	release, err := lockFile(ctx, s.path(member)+".lock")
	if err != nil {
		here()
		return nil, fmt.Errorf("taking a member's lock: %w", err)
	}
	return func() {
		release()
		here()
	}, nil
}
