// Package backup is the form of a backup: one tar archive that begins with a
// manifest, which names each file behind it with its size and hash. What is in
// the files, and what makes them trustworthy, internal/platform knows.
//
// A backup is as private as the data itself, and opens with the master key alone,
// which is not in it.
package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format int        `json:"format"` // 1
	Issuer string     `json:"issuer"` // whose state it is
	MadeAt time.Time  `json:"made_at"`
	Epoch  loop.Epoch `json:"epoch"`
	Files  []File     `json:"files"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const (
	format          = 1
	manifestName    = "manifest.json"
	maxManifestSize = 1 << 20
)

// Write writes the files of a folder as a backup. The manifest's Format and Files
// are filled in; it comes back as it was written.
func Write(w io.Writer, m Manifest, folder string, names ...string) (Manifest, error) {
	m.Format, m.Files = format, nil
	for _, name := range names {
		file, err := describe(folder, name)
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files, file)
	}
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("encoding the manifest: %w", err)
	}
	archive := tar.NewWriter(w)
	if err := writeHeader(archive, m, manifestName, int64(len(body))); err != nil {
		return m, err
	}
	if _, err := archive.Write(body); err != nil {
		return m, fmt.Errorf("writing the backup: %w", err)
	}
	for _, file := range m.Files {
		if err := writeFile(archive, m, folder, file); err != nil {
			return m, fmt.Errorf("writing the backup: %w", err)
		}
	}
	return m, archive.Close()
}

func describe(folder, name string) (File, error) {
	file, err := os.Open(filepath.Join(folder, name)) //nolint:gosec // G304: the caller's own names
	if err != nil {
		return File{}, err
	}
	defer file.Close() //nolint:errcheck // reading
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	return File{Name: name, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

func writeHeader(archive *tar.Writer, m Manifest, name string, size int64) error {
	return archive.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: m.MadeAt, Typeflag: tar.TypeReg})
}

func writeFile(archive *tar.Writer, m Manifest, folder string, file File) error {
	source, err := os.Open(filepath.Join(folder, file.Name)) //nolint:gosec // G304: the caller's own names
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // reading
	if err := writeHeader(archive, m, file.Name, file.Size); err != nil {
		return err
	}
	_, err = io.Copy(archive, source)
	return err
}

// Unpack writes the files of a backup into a folder and gives its manifest.
// Exactly these names must be in it, each as the manifest describes it, else the
// error says what is wrong. Files are durable when it returns.
func Unpack(r io.Reader, folder string, names ...string) (Manifest, error) {
	archive := tar.NewReader(r)
	m, err := readManifest(archive)
	if err != nil {
		return m, err
	}
	if len(m.Files) != len(names) {
		return m, errors.New("the backup is not whole: its manifest names other files")
	}
	for i, file := range m.Files {
		if file.Name != names[i] {
			return m, fmt.Errorf("the backup is not whole: it has %q where %s belongs", file.Name, names[i])
		}
		if err := unpackFile(archive, folder, file); err != nil {
			return m, err
		}
	}
	return m, nil
}

func readManifest(archive *tar.Reader) (m Manifest, err error) {
	header, err := archive.Next()
	if err != nil || header.Name != manifestName || header.Size > maxManifestSize {
		return m, errors.New("this is not a backup: loop backup makes one")
	}
	if err := json.NewDecoder(archive).Decode(&m); err != nil {
		return m, fmt.Errorf("the backup's manifest can't be read: %w", err)
	}
	if m.Format != format {
		return m, fmt.Errorf("the backup has form %d, and this version of loop knows %d: use the version that made it", m.Format, format)
	}
	return m, nil
}

func unpackFile(archive *tar.Reader, folder string, want File) error {
	header, err := archive.Next()
	if err != nil || header.Name != want.Name || header.Size != want.Size {
		return fmt.Errorf("the backup is not whole: %s is missing or cut off", want.Name)
	}
	file, err := os.OpenFile(filepath.Join(folder, want.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: one of the caller's own names
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.CopyN(io.MultiWriter(file, hash), archive, want.Size)
	if err == nil && hex.EncodeToString(hash.Sum(nil)) != want.SHA256 {
		err = errors.New("its bytes are not those that were written")
	}
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%s in the backup: %w", want.Name, err)
	}
	return nil
}
