package oauth

import (
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Forms seals what pages carry between two requests of one browser: an authorization
// request, a request to sign out, and what a consent page showed.
type Forms struct {
	World loop.World
	Ring  *credential.Ring
}

func (f Forms) sealer(purpose credential.Purpose) credential.Sealer {
	return credential.Sealer{Ring: f.Ring, Purpose: purpose}
}

func unseal(ring *credential.Ring, purpose credential.Purpose, text string) (*unpacker, bool) {
	plain, err := credential.Sealer{Ring: ring, Purpose: purpose}.Open(text)
	u := unpack(plain)
	return &u, err == nil
}
