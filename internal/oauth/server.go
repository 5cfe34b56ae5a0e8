package oauth

import (
	"log/slog"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Server is the authorization server's rules with what they need.
type Server struct {
	Issuer      string // identity's public URL, byte for byte
	World       loop.World
	Ring        *credential.Ring
	Signing     *credential.SigningKeys
	Ledger      Ledger
	Revocations *Revocations
	Log         *slog.Logger
}
