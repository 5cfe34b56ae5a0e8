package main

import (
	"log/slog"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/platform"
)

// config is what `loop serve` runs with. A field with the tag key is a key of the
// configuration, and this is the one place where it is written: flag, variable, line
// of the file and row of the documentation come from its tags.
//
//	key          its name in the file; the flag has dashes, the variable is LOOP_ and capitals
//	default      its text where nobody gives one
//	required     what to give, where one must
//	help         what it is, for the flag and for docs/loop-serve.md
//	more         what only the documentation says of it; in both, 'x' is code
//	placeholder  of the flag's value
//	oneof        the texts that it can be, where those can be listed
//	only         environment, for a secret: a file and a command line are seen by others; or file, for tables
//
// The field's type says how the text is read: see config_values.go.
type config struct {
	Dir              string          `key:"dir" required:"the folder of the platform's data" placeholder:"FOLDER" help:"The folder of the platform's data." more:"It is locked while the platform runs."`
	Role             platform.Role   `key:"role" default:"all" oneof:"identity clinical developers all" placeholder:"identity|clinical|developers|all" help:"Which host this process serves. One of its own needs a database." more:"'identity', 'clinical', 'developers' or 'all'."`
	Database         databaseAddress `key:"database" placeholder:"postgres://…" help:"A PostgreSQL database for the data, shared by any number of servers; the folder keeps only what is this server's own." more:"See [On PostgreSQL](#on-postgresql). Set the variable where it holds a password."`
	DatabaseDirect   databaseAddress `key:"database_direct" placeholder:"postgres://…" help:"The same database past a pooler that 'database' leads through; what writes and what leads goes there." more:"See [Behind PgBouncer](#behind-pgbouncer)."`
	DatabaseWait     wait            `key:"database_wait" default:"1m" placeholder:"DURATION" help:"How long a start waits for a database that does not answer yet, such as 30s; 0s: not at all."`
	Connections      count           `key:"connections" default:"8" placeholder:"N" help:"How many connections to the database at most, for reading, writing, and each of identity and clinical."`
	IdentityURL      origin          `key:"identity_url" required:"the public address, such as https://host.example.com" placeholder:"URL" help:"Identity's public address, scheme and host alone; it is the issuer."`
	ClinicalURL      origin          `key:"clinical_url" required:"the public address, such as https://host.example.com" placeholder:"URL" help:"Clinical's public address."`
	DevelopersURL    origin          `key:"developers_url" required:"the public address, such as https://host.example.com" placeholder:"URL" help:"The developer portal's public address."`
	IdentityListen   listenAddress   `key:"identity_listen" default:"127.0.0.1:8000" placeholder:"ADDRESS" help:"Where identity listens. Hosts may share one address."`
	ClinicalListen   listenAddress   `key:"clinical_listen" default:"127.0.0.1:8001" placeholder:"ADDRESS" help:"Where clinical listens."`
	DevelopersListen listenAddress   `key:"developers_listen" default:"127.0.0.1:8002" placeholder:"ADDRESS" help:"Where the portal listens."`
	TLSCertificate   string          `key:"tls_certificate" placeholder:"FILE" help:"The certificate for all three, as PEM. Without it a proxy in front ends TLS."`
	TLSKey           string          `key:"tls_key" placeholder:"FILE" help:"Its key, as PEM."`
	MasterKey        string          `key:"master_key" only:"environment" help:"The key that seals all others."`
	MasterKeyFile    string          `key:"master_key_file" placeholder:"FILE" help:"The file with the master key (or LOOP_MASTER_KEY)."`
	SignUpsPerHour   count           `key:"sign_ups_per_hour" default:"20" placeholder:"N" help:"How many accounts one address may make in an hour."`
	Limits           limits          `key:"limits" default:"on" placeholder:"on|off|redis://…" help:"Rate limits: on, off for benchmarks, or redis://… of a Valkey or Redis server where all processes count together." more:"See [Limits](limits.md#if-you-run-the-platform)."`
	TrustedProxies   networks        `key:"trusted_proxies" placeholder:"NETWORKS" help:"The proxies in front, whose X-Forwarded-For is believed: 10.1.0.0/16,fd00:1::/32"`
	MTLSListen       listenAddress   `key:"mtls_listen" placeholder:"ADDRESS" help:"Where clients with a certificate are listened for." more:"A port of its own, so that browsers never ask members for one."`
	MTLSHeader       string          `key:"mtls_header" placeholder:"NAME" help:"The header by which a trusted proxy hands client certificates on: 'Client-Cert' (RFC 9440), or one with URL-encoded PEM." more:"Instead of 'mtls_listen'. The proxy **must** set it on every request, or take it away."`
	IdentityMTLSURL  origin          `key:"identity_mtls_url" placeholder:"URL" help:"Identity's public address for clients with a certificate." more:"It becomes 'mtls_endpoint_aliases'."`
	ClinicalMTLSURL  origin          `key:"clinical_mtls_url" placeholder:"URL" help:"Clinical's public address for clients with a certificate."`
	MTLSAuthorities  authorities     `key:"mtls_authorities" placeholder:"FILE" help:"The authorities behind the certificates of 'tls_client_auth', as PEM."`
	FetchHosts       hostNames       `key:"fetch_allowed_hosts" placeholder:"HOSTS" help:"Hosts whose 'jwks_uri' and logout addresses may be at loopback, without TLS. For tests on one machine alone." more:"Leave it empty where strangers can register apps: they could have anything sent there."`
	CIMD             documentHosts   `key:"cimd" default:"all" placeholder:"all|off|HOSTS" help:"Whose client ID metadata documents are taken: all, off, or hosts with commas between." more:"See [Assistants](assistants.md#if-you-run-the-platform)."`
	Registration     onOff           `key:"dynamic_registration" default:"off" placeholder:"on|off" help:"Whether programs may register themselves (RFC 7591); those that no member allows are deleted after a day." more:"See [Assistants](assistants.md#if-you-run-the-platform)."`
	SignInMaxAge     age             `key:"sign_in_max_age" placeholder:"DURATION" help:"How old a member's sign-in may be when an app reads health data, such as 12h; without it, any age." more:"An older one is [sent back](errors/insufficient_user_authentication.md)."`
	SMTPServer       serverAddress   `key:"smtp_server" placeholder:"HOST:PORT" help:"The mail server that takes what the platform writes to members; without it, nothing that needs mail is offered." more:"See [Mail](operating.md#mail)."`
	SMTPTLS          mail.TLSMode    `key:"smtp_tls" default:"starttls" oneof:"starttls implicit none" placeholder:"starttls|implicit|none" help:"How the connection to it is protected; none on this machine alone." more:"'starttls', 'implicit' or 'none'."`
	SMTPFrom         mailSender      `key:"smtp_from" placeholder:"SENDER" help:"Who mails are from, such as Loop <no-reply@example.com>."`
	SMTPUser         string          `key:"smtp_user" placeholder:"NAME" help:"The user name at the mail server, where it asks for one."`
	SMTPPassword     string          `key:"smtp_password" only:"environment" help:"The password at the mail server."`
	SMTPPasswordFile string          `key:"smtp_password_file" placeholder:"FILE" help:"The file with the password at the mail server (or LOOP_SMTP_PASSWORD)."`
	SecurityContact  contactAddress  `key:"security_contact" placeholder:"ADDRESS" help:"Whom to write to who found a hole, such as mailto:security@example.com; each host then has a security.txt." more:"An https page will do, too (RFC 9116)."`
	OperationsListen listenAddress   `key:"operations_listen" placeholder:"ADDRESS" help:"Where health, readiness and metrics are asked for, such as 127.0.0.1:9090; nowhere without it. The world must not reach it." more:"See [Operate it](operating.md)."`
	LogLevel         slog.Level      `key:"log_level" default:"info" oneof:"debug info warn error" placeholder:"LEVEL" help:"debug, info, warn or error." more:"See [Logs](logs.md)."`
	LogFormat        string          `key:"log_format" default:"json" oneof:"json text" placeholder:"json|text" help:"How a line of the log is written: json for machines, text for people."`
	Resources        resources       `key:"resources" only:"file" help:"Resource servers outside this platform." more:"See [Other resource servers](#other-resource-servers)."`

	Master *credential.Master // of MasterKey or MasterKeyFile

	given map[string]given // by key, what was said and where; what nobody said is missing
}
