package platform

import (
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/telemetry"
	"github.com/loop-health/loop/internal/web"
)

// Config is what a platform needs.
type Config struct {
	Role           Role          // empty: RoleAll
	Folder         string        // of the state, where that is not in a Database, and of the checkpoints; its lock is held by the caller
	Database       string        // postgres://…; empty: SQLite in the folder
	DatabaseDirect string        // the same past a pooler that Database leads through; empty: there is none
	DatabaseWait   time.Duration // how long a start waits for a database that does not answer yet
	Connections    int           // to the database, of each kind; 0: postgres.DefaultConnections
	KeysFolder     string        // of the store of member keys, on SQLite; empty: Folder
	KeysDatabase   string        // of the store of member keys, on PostgreSQL; empty: Database
	Identity       *url.URL
	Clinical       *url.URL
	Developers     *url.URL
	Master         *credential.Master
	World          loop.World // the machine's; the platform keeps it from running back
	Log            *slog.Logger
	HTTP           *http.Client // by which the portal reaches identity
	SignUpsPerHour int          // from one address
	Unlimited      bool         // for benchmarks: nothing else is limited
	LimitStore     string       // redis://…, where all processes count together; empty: each counts for itself
	TrustedProxies []netip.Prefix
	// SecurityContact is what the hosts' security.txt names: a mailto: or https address;
	// empty: there is none.
	SecurityContact string

	// Mail hands mails over to a server; nil: none is sent, and nothing that needs one
	// is offered.
	Mail mail.Sender

	// Resources are resource servers outside this platform that tokens are made for.
	Resources []loop.Resource
	// IdentityCertificate and ClinicalCertificate are where clients with a
	// certificate reach the two hosts (RFC 8705 §5); nil: nowhere.
	IdentityCertificate, ClinicalCertificate *url.URL
	// CertificateHeader is how trusted proxies hand clients' certificates on;
	// empty: they don't.
	CertificateHeader string
	// ClientAuthorities stand behind the certificates of tls_client_auth; nil: none.
	ClientAuthorities *x509.CertPool
	// FetchHosts are the hosts that may be fetched from at loopback addresses,
	// without TLS; MUST be empty where strangers can register apps.
	FetchHosts []string
	// ClientDocuments says whose client ID metadata documents are taken; the zero value:
	// nobody's.
	ClientDocuments registration.DocumentHosts
	// Registers lets clients register themselves (RFC 7591).
	Registers bool
	// FetchRoots vouch for the servers that are fetched from; nil: the system's.
	FetchRoots *x509.CertPool
	// SignInMaxAge is how old a member's sign-in may be when an app reads health
	// data (RFC 9470); 0: any age.
	SignInMaxAge time.Duration

	// ClockIsRight serves although what is stored is ahead of the clock: an operator
	// knows that it was wrong, and is right now.
	ClockIsRight bool
	// SetBack opens a state that is older than what was seen of it; a new epoch
	// MUST begin before anything is served (BeginEpoch).
	SetBack bool
	// Exchanged is called with each request of a client and each refused one, once it
	// is answered; nil: nobody is.
	Exchanged func(web.Exchange)
	// Metrics measures requests and commits; nil: nobody does.
	Metrics *telemetry.Metrics
}
