package platform_test

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// addValue gives a member a lab result with these digits, and says how long it is when
// it is packed alone.
func addValue(t *testing.T, p *platformtest.Platform, m *loop.Member, digits string) (packed int) {
	t.Helper()
	value, err := biomarker.ParseDecimal(digits)
	if err != nil {
		t.Fatal(err)
	}
	r := biomarker.Result{
		ID: loop.NewResultID(p.World), Code: "tsh", Value: value, Unit: "m[IU]/L", Source: "quest", CollectedAt: p.World.Now().Add(-time.Hour), ParsedAt: p.World.Now(),
	}
	if err := p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, m.ID, []biomarker.Result{r}); err != nil {
		t.Fatal(err)
	}
	return len(biomarker.AppendChunk(nil, []biomarker.Stored{{Result: r, Arrival: 1}}))
}

// erase has a member leave, and goes on to the moment when they are erased.
func erase(t *testing.T, p *platformtest.Platform, m *loop.Member) {
	t.Helper()
	if _, err := p.Accounts.Leave(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	p.World.Advance(member.TimeToComeBack)
	if err := p.EraseLeft(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// copyFolder reads all files of a folder.
func copyFolder(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = content
	}
	return files
}

// adversary has the master key and files, and knows every form, down to how long what
// they look for is.
type adversary struct {
	master         []byte
	files          map[string][]byte
	person, packed int
}

func newAEAD(key []byte) cipher.AEAD {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err)
	}
	return aead
}

func derive(secret []byte, label string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, label, 32)
	if err != nil {
		panic(err)
	}
	return key
}

// openAnywhere tries every place of the files whose name contains a word as a sealing
// of so many bytes, and gives all that opens.
func (a *adversary) openAnywhere(named string, key []byte, as string, size int) (opened [][]byte) {
	aead := newAEAD(key)
	for name, content := range a.files {
		if !strings.Contains(name, named) {
			continue
		}
		whole := chacha20poly1305.NonceSizeX + size + chacha20poly1305.Overhead
		for at := range len(content) - whole + 1 {
			sealed := content[at : at+whole]
			if plain, err := aead.Open(nil, sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:], []byte(as)); err == nil {
				opened = append(opened, plain)
			}
		}
	}
	return opened
}

// dataKeys finds every key of a member that is anywhere in the store of member keys,
// deleted rows and logs included.
func (a *adversary) dataKeys(t *testing.T, id loop.MemberID) (secrets [][]byte) {
	t.Helper()
	roots := a.openAnywhere("memberkeys", a.master, "loop member keys root 1", 32)
	if len(roots) == 0 {
		t.Fatal("the root of the member keys was not found: the adversary does not know the form any more")
	}
	for _, use := range []credential.DataUse{credential.ForResults, credential.ForPerson} {
		secrets = append(secrets, a.openAnywhere("memberkeys", derive(roots[0], "loop data seal"), fmt.Sprintf("loop data 1 key %s %s", use, id), 32)...)
	}
	return secrets
}

// recovers tries to read a member's person and first chunk of results, anywhere.
func (a *adversary) recovers(t *testing.T, id loop.MemberID) string {
	t.Helper()
	var all bytes.Buffer
	for _, secret := range a.dataKeys(t, id) {
		seal := derive(secret, "loop data seal")
		for _, plain := range a.openAnywhere("identity.db", seal, fmt.Sprintf("loop data 1 person %s", id), a.person) {
			all.Write(plain)
		}
		for _, plain := range a.openAnywhere("clinical.db", seal, fmt.Sprintf("loop data 1 results %s 1", id), a.packed) {
			all.Write(plain)
		}
	}
	return all.String()
}

func TestSec311_NothingOfAnErasedMemberCanBeRecovered(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	master, text := credential.NewMaster(loop.Machine{})
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	p := platformtest.New(t)
	if _, err := p.RunWith(t, text+"\n", "keys", "rewrap", "--master-key-file", "new.key"); err != nil {
		t.Fatal(err)
	}
	p.SetMaster(master)
	gone, control := p.AddMember(t, "Gonetta"), p.AddMember(t, "Control")
	person, packed := len("\x07Gonetta"+gone.Email), addValue(t, p, gone, "2.41739")
	addValue(t, p, control, "3.14159")
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := copyFolder(t, p.Folder)
	if found := (&adversary{raw, before, person, packed}).recovers(t, gone.ID); !strings.Contains(found, "Gonetta") || !strings.Contains(found, "2.41739") {
		t.Fatalf("with the keys of before, the adversary finds %q", found)
	}
	p.Open(t)
	erase(t, p, gone)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	has := &adversary{raw, map[string][]byte{}, person, packed}
	for name, content := range before {
		if !strings.Contains(name, "memberkeys") { // no backup has them
			has.files["backup "+name] = content
		}
	}
	for name, content := range copyFolder(t, p.Folder) {
		has.files[name] = content
	}
	if keys := has.dataKeys(t, gone.ID); len(keys) != 0 {
		t.Errorf("%d keys of the erased member were found", len(keys))
	}
	if found := has.recovers(t, control.ID); !strings.Contains(found, "Control") || !strings.Contains(found, "3.14159") {
		t.Errorf("of the other member the adversary finds %q", found)
	}
	for name, content := range has.files {
		for _, secret := range []string{"Gonetta", string(gone.Email), "2.41739", "Control", string(control.Email), "3.14159"} {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds %q as it is", name, secret)
			}
		}
	}
}

func TestSec312_ARestoreBringsNoErasedMemberBack(t *testing.T) {
	t.Parallel()
	platformtest.OnSQLite(t)
	r := remember(t)
	addValue(t, r.p, r.ada, "2.41739")
	archive := backUp(t, r.p)
	erase(t, r.p, r.ada)
	if _, err := r.p.Restore(t, bytes.NewReader(archive)); err != nil {
		t.Fatal(err)
	}
	if err := r.p.EraseLeft(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := r.p.Accounts.Member(t.Context(), r.ada.ID)
	if err != nil || m.Name != "" || m.Email != "" || !m.Suspended || m.ErasedAt.IsZero() {
		t.Errorf("after the restore there is %+v, %v", m, err)
	}
	if rows := r.p.Count(t, "clinical", "result_chunks WHERE member_id = '"+string(r.ada.ID)+"'"); rows != 0 {
		t.Errorf("%d chunks of results came back", rows)
	}
}
