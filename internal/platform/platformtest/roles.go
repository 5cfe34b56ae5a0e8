package platformtest

import (
	"context"
	"testing"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
)

// NewOn starts a platform of a role for the first time, on a PostgreSQL database that
// has all migrations. It ends with the test.
func NewOn(t testing.TB, database string, role platform.Role) *Platform {
	t.Helper()
	master, _ := credential.NewMaster(loop.Machine{})
	p := newPlatform(t.TempDir(), master)
	p.config.Database, p.config.Role = database, role
	p.Open(t)
	p.endWith(t)
	return p
}

// Beside starts another process of the same platform, in a role of its own, which
// reaches the database by this address. A host that one of the two does not serve is
// the other's.
func (p *Platform) Beside(t testing.TB, database string, role platform.Role) *Platform {
	t.Helper()
	other := newPlatform(t.TempDir(), p.config.Master)
	other.config.Database, other.config.Role, other.config.World, other.World = database, role, p.World, p.World
	other.neighbours, p.neighbours = append(other.neighbours, p), append(p.neighbours, other)
	other.Open(t)
	other.endWith(t)
	return other
}

// TryBeside is Beside where an error is expected.
func (p *Platform) TryBeside(t testing.TB, database string, role platform.Role) error {
	t.Helper()
	other := newPlatform(t.TempDir(), p.config.Master)
	other.config.Database, other.config.Role = database, role
	err := other.TryOpen()
	if err == nil {
		other.endWith(t)
	}
	return err
}

// endWith ends the platform with the test.
func (p *Platform) endWith(t testing.TB) {
	t.Cleanup(func() {
		p.checkClients(t)
		_ = p.Close(context.Background())
	})
}
