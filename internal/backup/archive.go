// Package backup is the form of a backup: a tar archive that begins with a
// manifest, which names each file behind it with its size, encrypted and
// authenticated as a whole (envelope.go) in the format of age. What is in the
// files, and what makes them trustworthy, internal/platform knows.
//
// Without the master key nobody opens a backup, and nobody makes one that opens:
// nothing of it is looked at before it is known to be authentic.
package backup

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"github.com/loop-health/loop/internal/loop"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format int        `json:"format"` // 2
	Issuer string     `json:"issuer"` // whose state it is
	MadeAt time.Time  `json:"made_at"`
	Epoch  loop.Epoch `json:"epoch"`
	Files  []File     `json:"files"`
}

// File is one file of a backup.
type File struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

const (
	format          = 2
	manifestName    = "manifest.json"
	maxManifestSize = 1 << 20
)

// Write writes the files of a folder as a backup under the key. The manifest's
// Format and Files are filled in; it comes back as it was written.
func Write(w io.Writer, key Key, m Manifest, folder string, names ...string) (Manifest, error) {
	m.Format, m.Files = format, nil
	for _, name := range names {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files, File{Name: name, Size: info.Size()})
	}
	envelope, err := age.Encrypt(w, key)
	if err != nil {
		return m, fmt.Errorf("writing the backup: %w", err)
	}
	if err := writeArchive(envelope, m, folder); err != nil {
		return m, fmt.Errorf("writing the backup: %w", err)
	}
	return m, envelope.Close()
}

func writeArchive(w io.Writer, m Manifest, folder string) error {
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	if err := writeHeader(archive, m, manifestName, int64(len(body))); err != nil {
		return err
	}
	if _, err := archive.Write(body); err != nil {
		return err
	}
	for _, file := range m.Files {
		if err := writeFile(archive, m, folder, file); err != nil {
			return err
		}
	}
	return archive.Close()
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
// Exactly these names must be in it, each as the manifest describes it, and
// nothing behind them, else the error says what is wrong. Files are durable when
// it returns.
func Unpack(r io.Reader, key Key, folder string, names ...string) (Manifest, error) {
	plain, err := openEnvelope(r, key)
	if err != nil {
		return Manifest{}, err
	}
	archive := tar.NewReader(plain)
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
	return m, readEnd(archive, plain)
}

// readEnd reads up to the end of the plaintext: only there is it known that
// nothing was cut off.
func readEnd(archive *tar.Reader, plain io.Reader) error {
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return errors.Join(errChanged, err)
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return fmt.Errorf("%w (%w)", errChanged, err)
	}
	return nil
}

func readManifest(archive *tar.Reader) (m Manifest, err error) {
	header, err := archive.Next()
	if err != nil {
		return m, fmt.Errorf("%w (%w)", errChanged, err)
	}
	if header.Name != manifestName || header.Size > maxManifestSize {
		return m, errNotABackup
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
	if err != nil {
		return fmt.Errorf("%w, in front of %s (%w)", errChanged, want.Name, err)
	}
	if header.Name != want.Name || header.Size != want.Size {
		return fmt.Errorf("the backup is not whole: it has %q of %d bytes where its manifest has %s of %d", header.Name, header.Size, want.Name, want.Size)
	}
	file, err := os.OpenFile(filepath.Join(folder, want.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: one of the caller's own names
	if err != nil {
		return err
	}
	if _, err = io.Copy(file, archive); err != nil {
		err = fmt.Errorf("%w, within %s (%w)", errChanged, want.Name, err)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
