package oauth

import (
	"log/slog"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/possession"
	"github.com/loop-health/loop/internal/webhook"
)

// Server is the authorization server's rules with what they need.
type Server struct {
	Endpoints

	Resources   Resources
	World       loop.World
	Ring        *credential.Ring
	Tokens      *Verifier
	Minter      *Minter
	Forms       Forms
	Ledger      Ledger
	Pushed      PushedRequests
	Clients     *clientauth.Authenticator
	ClientKeys  *clientjwt.Keys // by which request objects are signed
	Possession  *possession.Checker
	Revocations *Revocations
	Log         *slog.Logger
	// TakesDocuments: a client may be the address of its metadata document; the ledger
	// finds those clients.
	TakesDocuments bool
	Registers      bool              // clients may register themselves (RFC 7591)
	UILocales      []string          // the languages of the pages (BCP 47)
	Office         *mail.Office      // writes to members; nil: nobody does
	Events         *webhook.Composer // for apps; nil: they are sent none
}
