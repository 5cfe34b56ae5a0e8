// Package internal_test holds the rooms of the house to its plan.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/loop-health/loop"

// edges says who may import whom, and why. What is not here may not be; what is
// here and not used is taken out. Imports flow one way: a room never imports one
// that stands above it.
var edges = map[string]map[string]string{
	"internal/loop": {},
	"internal/audit": {
		"internal/loop": "a record says whom it concerns, by which app, under which grant",
	},
	"internal/credential": {
		"internal/loop":  "clock and randomness; how long what is sealed lives",
		"internal/audit": "what happens to a key is recorded",
	},
	"internal/credential/credentialtest": {
		"internal/loop":       "clock and randomness",
		"internal/credential": "it makes rings for tests of single rooms",
	},
	"internal/servercert": {},
	"internal/mcp": {
		"internal/loop": "what a model sent wrong is one of the platform's errors",
		"internal/web":  "it reads requests and writes answers",
	},
	"internal/fetch": {
		"internal/loop": "a fault of a URL or its answer is one of the platform's errors",
	},
	"internal/limit": {
		"internal/loop": "whose requests are counted, in which mode, by which clock",
	},
	"internal/limit/shared": {
		"internal/limit": "it judges in its place",
	},
	"internal/limit/shared/sharedtest": {
		"internal/loop":       "randomness",
		"internal/credential": "a password is made",

		"internal/testprocess": "a server ends with the tests",
	},
	"internal/biomarker": {
		"internal/loop":    "a result belongs to a member; a fault is one of the platform's errors",
		"internal/audit":   "what an import or a read leaves in the record",
		"internal/outbox":  "new results come with the messages that say so",
		"internal/webhook": "apps are sent that there are new results",
	},
	"internal/jsontext": {},
	"internal/tomltext": {},
	"internal/fhir": {
		"internal/loop":      "ids of members and results",
		"internal/biomarker": "a result becomes an Observation; a number keeps its digits",
		"internal/jsontext":  "an answer holds a hundred Observations",
	},
	"internal/intake": {
		"internal/loop":      "whose a result is; a refusal is one of the platform's errors",
		"internal/audit":     "an import is recorded",
		"internal/biomarker": "what a result is",
		"internal/outbox":    "new results come with the messages that say so",
		"internal/webhook":   "who makes these",
		"internal/fhir":      "a format of files",
		"internal/hl7":       "a format of files",
		"internal/labcsv":    "a format of files",
	},
	"internal/hl7": {
		"internal/biomarker": "what it reads are results",
	},
	"internal/labcsv": {
		"internal/biomarker": "what it reads are results",
	},
	"internal/requestlog": {
		"internal/loop": "which app sent a request, and which error it was answered with",
	},
	"internal/webhook": {
		"internal/loop":       "what happened to whom, and which apps may know",
		"internal/audit":      "what was not delivered is recorded",
		"internal/credential": "signing secrets are derived from the ring",
		"internal/outbox":     "events are delivered",
	},
	"internal/outbox": {
		"internal/loop":  "clock and randomness; the session whose end is a message",
		"internal/audit": "what became of a message is recorded with it",
	},
	"internal/mail": {
		"internal/loop":       "members are written to",
		"internal/audit":      "a letter that was not sent is recorded",
		"internal/credential": "letters are sealed while they wait",
		"internal/locale":     "letters are written in their reader's language",
		"internal/outbox":     "letters are delivered",
	},
	"internal/mail/mailtest": {
		"internal/loop":        "addresses, and the clock",
		"internal/mail":        "it is the server that mails are handed over to",
		"internal/credential":  "a password is made",
		"internal/testprocess": "a server ends with the tests",
	},
	"internal/member": {
		"internal/credential": "links are secrets",
		"internal/mail":       "members are written to",
		"internal/loop":       "members and their rules",
		"internal/audit":      "changes are recorded",
		"internal/outbox":     "what the end of a session brings about",
	},
	"internal/signin": {
		"internal/loop":       "who signs in, and since when",
		"internal/audit":      "sign-ins and refusals are recorded",
		"internal/credential": "passwords are hashed, sessions are secrets",
		"internal/mail":       "members are written to of new devices and passkeys",
		"internal/outbox":     "what the end of a session brings about",
	},
	"internal/oauth/parameter": {
		"internal/loop": "a parameter that is missing or sent twice is one of the platform's errors",
	},
	"internal/oauth/clientjwt": {
		"internal/loop": "a client's keys are in its registration",
	},
	"internal/oauth/possession": {
		"internal/loop":            "what a client's tokens are bound to, and by which clock",
		"internal/credential":      "a nonce is the sealed time",
		"internal/oauth/clientjwt": "a DPoP proof is a JWT that its sender signed",
	},
	"internal/oauth/clientauth": {
		"internal/loop":             "a client and how it authenticates",
		"internal/audit":            "a refused credential is counted",
		"internal/credential":       "secrets are compared by their hashes",
		"internal/oauth/parameter":  "client_id, secret and assertion come in a form",
		"internal/oauth/clientjwt":  "an assertion is a JWT that the client signed",
		"internal/oauth/possession": "a request brings the certificate of its connection",
	},
	"internal/oauth": {
		"internal/loop":             "clients, grants, chains, scopes",
		"internal/audit":            "every decision is recorded with it",
		"internal/credential":       "codes and tokens are sealed",
		"internal/oauth/parameter":  "an authorization request is parameters",
		"internal/oauth/clientjwt":  "request objects are JWTs that the client signed",
		"internal/oauth/clientauth": "what an authenticated client sent",
		"internal/oauth/possession": "what a token is bound to",
		"internal/outbox":           "logout tokens are delivered",
		"internal/webhook":          "apps are sent what becomes of the consents to them",
		"internal/mail":             "members hear of apps that were connected or cut off",
	},
	"internal/registration": {
		"internal/loop":       "a client and what makes it valid",
		"internal/audit":      "changes are recorded",
		"internal/credential": "client secrets are made and hashed",
		"internal/oauth":      "what a client loses, its tokens lose",
		"internal/outbox":     "an app's logo is fetched once its address is registered",
		"internal/webhook":    "a test event is sent at a developer's request",
		"internal/mail":       "a developer hears of a webhook that was disabled",

		"internal/registration/picture": "what was fetched is made a picture of our own",
		"internal/oauth/clientjwt":      "a key set holds public keys alone",
	},
	"internal/registration/library": {
		"internal/loop": "what a library needs of a client's registration",
	},
	"internal/registration/library/tried": {},
	"internal/registration/picture":       {},
	"internal/connection": {
		"internal/loop":  "grants, clients, members",
		"internal/audit": "who disconnects an app is recorded",
	},
	"internal/backup": {
		"internal/loop": "a backup is of an epoch",
	},
	"internal/store": {
		"internal/loop": "what is kept, and the errors of failures",
	},
	"internal/store/tables": {
		"internal/operator":   "who works for the platform is kept",
		"internal/store":      "failures, moments, clients in memory",
		"internal/loop":       "what is kept",
		"internal/audit":      "records are rows",
		"internal/credential": "sealed keys are rows",
		"internal/biomarker":  "results are rows",
		"internal/intake":     "what was imported are rows",
		"internal/connection": "reads are counted and listed for their member",
		"internal/member":     "accounts are rows",
		"internal/signin":     "sign-ins are rows",
		"internal/oauth":      "what was decided is written",

		"internal/oauth/clientauth": "used assertions are rows",
		"internal/registration":     "forms that were sent are rows",
		"internal/requestlog":       "what apps sent is rows",
		"internal/outbox":           "messages are rows",
		"internal/webhook":          "deliveries are listed for their developers",
	},
	"internal/store/folder": {},
	"internal/store/storetest": {
		"internal/operator":   "it holds stores to what its rules rely on",
		"internal/loop":       "what is kept",
		"internal/audit":      "every act has its record",
		"internal/credential": "its contract for keys",
		"internal/requestlog": "its contract for what apps sent",
		"internal/member":     "its contract for accounts",
		"internal/signin":     "its contract for sign-ins",
		"internal/oauth":      "its contract for decisions",

		"internal/oauth/clientauth": "its contract for assertions",

		"internal/registration": "its contract for apps",
		"internal/connection":   "its contract for what members see of reads",
		"internal/biomarker":    "its contract for lab results",
		"internal/intake":       "its contract for results from files",

		"internal/credential/credentialtest": "pages have cursors, and those are tagged",
		"internal/outbox":                    "its contract for messages",
		"internal/webhook":                   "its contract for deliveries to webhooks",
	},
	"internal/store/sqlite": {
		"internal/store":        "failures, and clients in memory",
		"internal/store/tables": "the statements that both engines share",
		"internal/loop":         "what is kept",
		"internal/audit":        "the record is chained where it is written",
		"internal/credential":   "hashes and sealed keys are kept as they are",
		"internal/biomarker":    "it keeps results for it",
		"internal/member":       "it carries out changes of members",
		"internal/signin":       "it keeps sign-ins for it",
		"internal/oauth":        "it carries out the decisions of its ledger",
		"internal/registration": "it keeps apps for it",
		"internal/outbox":       "it hands out claims",
	},
	"internal/store/postgres": {
		"internal/store":        "failures, and clients in memory",
		"internal/store/tables": "the statements that both engines share",
		"internal/loop":         "what is kept",
		"internal/audit":        "the record is chained where it is written",
		"internal/credential":   "hashes and sealed keys are kept as they are",
		"internal/member":       "it carries out changes of members",
		"internal/signin":       "it keeps sign-ins for it",
		"internal/oauth":        "it carries out the decisions of its ledger",
		"internal/registration": "it keeps apps for it",
		"internal/outbox":       "it hands out claims",
	},
	"internal/store/postgres/postgrestest": {
		"internal/testprocess": "a server ends with the tests",
	},
	"internal/store/postgres/postgrestest/with": {
		"internal/store/postgres/postgrestest": "it starts its server",
		"internal/testprocess":                 "the command ends with the server",
	},
	"internal/web": {
		"internal/loop":      "errors become answers",
		"internal/limit":     "every host limits requests and says what is left",
		"internal/audit":     "a request's origin goes into the record",
		"internal/web/asset": "the stylesheet of every layout",
		"internal/locale":    "pages are parsed in every language",

		"internal/oauth":            "every access token is judged in one phase",
		"internal/oauth/parameter":  "a token may come in a form",
		"internal/oauth/clientjwt":  "a challenge says which algorithms proofs may have",
		"internal/oauth/possession": "a request's proofs and certificates",
	},
	"internal/web/asset": {},
	"internal/telemetry": {
		"internal/store":  "what a database reports of itself",
		"internal/web":    "what became of a request",
		"internal/outbox": "attempts at deliveries, and what waits",
	},
	"internal/inquiry": {
		"internal/loop":       "whom a question is about",
		"internal/credential": "a question is tagged under the ring that both sides have",
		"internal/connection": "which app read how much",
		"internal/webhook":    "identity is sent what changed, for the apps that may hear of it",
		"internal/biomarker":  "a member's results, for their own pages",
		"internal/web":        "it answers on the public hosts",
	},
	"internal/visitor": {
		"internal/loop":       "who is signed in, and to which app they go",
		"internal/locale":     "in which language a visitor reads",
		"internal/credential": "cookies are secrets, forms are tagged",
		"internal/oauth":      "an app's request travels sealed",
		"internal/signin":     "how long a sign-in lasts",
		"internal/web":        "cookies, forms and pages of a host",
	},
	"internal/identity": {
		"internal/locale": "the texts of its pages, and the version of those that ask for consent",
		"internal/loop":   "clients, members and scopes are shown",
		"internal/limit":  "authorization requests are limited, and reads of userinfo",
		"internal/oauth":  "authorize and token",

		"internal/biomarker":    "the consent page says how many lab results there are",
		"internal/audit":        "an app is who changes its webhooks",
		"internal/credential":   "a new signing secret is shown once",
		"internal/webhook":      "apps look after their webhooks",
		"internal/registration": "apps may register themselves",

		"internal/oauth/parameter":  "forms are read without what came empty",
		"internal/oauth/clientauth": "apps authenticate",

		"internal/visitor":   "who is signed in, and how far an app's request has come",
		"internal/web":       "it is one of the hosts",
		"internal/web/asset": "the stylesheet and the one script",
	},
	"internal/locale": {
		"internal/loop": "notices, scopes and faults become words",
	},
	"internal/resultview": {
		"internal/biomarker": "what is shown",
		"internal/locale":    "in which words",
		"internal/web/asset": "a chart by itself brings its colours",
	},
	"internal/account": {
		"internal/biomarker":  "members see and download their lab results",
		"internal/resultview": "in words and drawings",
		"internal/locale":     "the texts of its pages",
		"internal/loop":       "members and apps are shown",
		"internal/audit":      "who changes a grant is recorded",
		"internal/connection": "the apps that the member allowed",
		"internal/credential": "what was confirmed in a browser is tagged",
		"internal/member":     "what members do by links that they are sent",
		"internal/limit":      "apps that ask for the member are limited",
		"internal/intake":     "members import files",
		"internal/oauth":      "what an app's request needs next, and what an access token stands for",
		"internal/signin":     "sign-in, sign-up, sign-out",
		"internal/visitor":    "who is signed in, and how far an app's request has come",
		"internal/web":        "its pages are on identity's host",
	},
	"internal/clinical": {
		"internal/loop":       "errors and ids",
		"internal/audit":      "every read is recorded before it is answered",
		"internal/biomarker":  "results, queries and pages of them",
		"internal/jsontext":   "answers are long and frequent",
		"internal/intake":     "files are imported",
		"internal/fhir":       "the same results in the form of a standard",
		"internal/limit":      "reads are limited by app",
		"internal/mcp":        "assistants call tools",
		"internal/connection": "assistants list what apps read, as the account does",
		"internal/locale":     "a chart says in words what it shows",

		"internal/resultview": "charts for apps",

		"internal/oauth": "what an access token stands for",
		"internal/web":   "it is one of the hosts",
	},
	"internal/operator": {
		"internal/loop":  "an operator is a member",
		"internal/audit": "who gets a role, and what operators look at, is recorded",
	},
	"internal/console": {
		"internal/admin":    "it does what the command line does, by the same operations",
		"internal/audit":    "an operator is who acts; records are shown",
		"internal/limit":    "requests of services are limited by client",
		"internal/loop":     "members and apps are shown",
		"internal/oauth":    "a service of Loop's comes with an access token",
		"internal/operator": "who may do what",
		"internal/visitor":  "who is signed in",
		"internal/web":      "its pages are on identity's host",
	},
	"internal/portal": {
		"internal/loop":         "clients and their faults are shown",
		"internal/audit":        "a developer is who acts",
		"internal/credential":   "sessions are sealed, secrets shown once",
		"internal/limit":        "pages are limited by developer",
		"internal/registration": "apps are registered and changed",
		"internal/requestlog":   "what an app sent is listed and explained",
		"internal/webhook":      "webhooks and deliveries are shown",
		"internal/oauth":        "the server's own checks judge a request that was pasted",
		"internal/web":          "it is one of the hosts",
		"internal/locale":       "scopes and errors have the names that members read, in English",

		"internal/oauth/parameter": "only parameters that the server reads must be well formed",

		"internal/registration/library": "what one builds with decides how an app is registered",

		"internal/web/asset": "the stylesheet",
	},
	"internal/docsite": {
		"docs":          "the pages that it serves",
		"internal/loop": "an error leads here with the id of its request",
		"internal/web":  "it adds its routes to the developers' host, in that host's layout",
	},
	"internal/admin": {
		"internal/operator":     "who may use the console",
		"internal/signin":       "where members are signed in",
		"internal/loop":         "clients, members and grants are shown",
		"internal/audit":        "an operator is who acts; records are shown",
		"internal/credential":   "a new secret is shown once; keys are shown and changed",
		"internal/member":       "accounts are made",
		"internal/intake":       "results from files are taken in",
		"internal/biomarker":    "what a code means",
		"internal/registration": "a new client begins with the defaults",
		"internal/webhook":      "webhooks and deliveries are shown",
		"internal/tomltext":     "a fault of a file of clients names its line",
	},
	"internal/dev": {
		"internal/loop":         "clock and randomness",
		"internal/admin":        "a running instance is found and stopped by its socket",
		"internal/credential":   "the laptop's master key",
		"internal/mail":         "its inbox takes what would have been sent",
		"internal/store/folder": "one process a folder",
		"internal/web":          "servers with their time limits",
	},
	"examples/quickstart":       {"connect": "it is an app like any other"},
	"examples/production":       {"connect": "it is an app like any other", "connect/webhook": "it is sent what happened"},
	"examples/native":           {"connect": "it is an app like any other"},
	"examples/quickstart/serve": {"examples/quickstart": "runs it"},
}

// wiring is the rooms that put the others together, and may know them all.
var wiring = []string{"cmd/loop", "internal/platform", "internal/platform/platformtest"}

// modules says which modules of others the product may import, and why: one line
// each, as in ARCHITECTURE.md.
var modules = map[string]string{
	"modernc.org/sqlite":              "SQLite without cgo",
	"github.com/jackc/pgx/v5":         "PostgreSQL by its own protocol, pipelined",
	"github.com/redis/go-redis/v9":    "limits that all processes count together",
	"github.com/go-jose/go-jose/v4":   "ID tokens and key sets",
	"golang.org/x/crypto":             "Argon2id, XChaCha20-Poly1305",
	"filippo.io/age":                  "backups are encrypted as a stream",
	"github.com/alecthomas/kong":      "the command line",
	"github.com/go-webauthn/webauthn": "passkeys: forms, signatures and the rules of WebAuthn",
	"github.com/pquerna/otp":          "codes of authenticator apps (RFC 4226)",
	"github.com/boombuler/barcode":    "the QR code that an authenticator app reads",
	"github.com/BurntSushi/toml":      "the configuration file; files of clients",
	"github.com/yuin/goldmark":        "the documentation's Markdown",
	"golang.org/x/oauth2":             "the portal is an OAuth client like any other",
	"github.com/coreos/go-oidc/v3":    "the portal checks its ID tokens as others do",
	"golang.org/x/image":              "logos are scaled; WebP is read",
	"golang.org/x/text":               "names in one normal form; languages, plurals, numbers",
	"github.com/wneessen/go-mail":     "mails as RFC 5322 has them, handed over by SMTP with TLS",
	"golang.org/x/sys":                "locks and socket options of the operating system",

	"github.com/prometheus/client_golang": "metrics in the form that Prometheus reads",
	"go.opentelemetry.io/otel":            "traces by the standard's API and SDK, sent by OTLP over HTTP",

	"golang.org/x/net":         "where a joiner may stand in a name (RFC 5892); tests: pages are read as HTML",
	"github.com/google/go-cmp": "tests: what differs",
	"pgregory.net/rapid":       "tests: random histories",
	"go.uber.org/goleak":       "tests: goroutines left behind",
}

func TestARoomImportsOnlyTheRoomsThatThePlanNames(t *testing.T) {
	found := imports(t, isProduct)
	for from, tos := range found {
		if slices.Contains(wiring, from) {
			continue
		}
		for to := range tos {
			room, ours := strings.CutPrefix(to, module+"/")
			if _, planned := edges[from][room]; ours && !planned {
				t.Errorf("%s imports %s, which the plan does not name", from, room)
			}
		}
	}
	for from, tos := range edges {
		for to := range tos {
			if !found[from][module+"/"+to] {
				t.Errorf("the plan says that %s imports %s, but it does not", from, to)
			}
		}
	}
}

func TestImportsFlowOneWay(t *testing.T) {
	var visit func(path []string)
	visit = func(path []string) {
		for to := range edges[path[len(path)-1]] {
			if slices.Contains(path, to) {
				t.Fatalf("the plan goes in a circle: %s", strings.Join(append(path, to), ", "))
			}
			visit(append(slices.Clone(path), to))
		}
	}
	for from := range edges {
		visit([]string{from})
	}
}

func TestEveryModuleOfOthersHasAReason(t *testing.T) {
	used := make(map[string]bool)
	for from, tos := range imports(t, anyFile) {
		for to := range tos {
			if strings.HasPrefix(to, module+"/") || !strings.Contains(strings.Split(to, "/")[0], ".") {
				continue // ours, or the standard library's
			}
			name := moduleOf(to)
			if name == "" {
				t.Errorf("%s imports %s, a module without a reason", from, to)
			}
			used[name] = true
		}
	}
	for name := range modules {
		if !used[name] {
			t.Errorf("%s has a reason and is not used", name)
		}
	}
}

// namedFile is a file or folder that ARCHITECTURE.md names for a change.
var namedFile = regexp.MustCompile("`([\\w./-]+(?:\\.(?:go|md|html|mod|yml)|/))`")

func TestWhereAChangeGoesNamesWhatIsThere(t *testing.T) {
	page, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "## Where a change goes")
	changes, _, _ := strings.Cut(rest, "\n## ")
	named := namedFile.FindAllStringSubmatch(changes, -1)
	if len(named) < 30 {
		t.Errorf("only %d files are named", len(named))
	}
	for _, found := range named {
		_, atTop := os.Stat(filepath.Join("..", found[1]))
		_, below := os.Stat(found[1])
		if atTop != nil && below != nil {
			t.Errorf("ARCHITECTURE.md names %s, which is not there", found[1])
		}
	}
}

func moduleOf(path string) string {
	for name := range modules {
		if path == name || strings.HasPrefix(path, name+"/") {
			return name
		}
	}
	return ""
}

func isProduct(file string) bool { return !strings.HasSuffix(file, "_test.go") }
func anyFile(string) bool        { return true }

// imports reads what each package of this module imports, by its folder.
func imports(t *testing.T, wanted func(file string) bool) map[string]map[string]bool {
	t.Helper()
	found := make(map[string]map[string]bool)
	root := ".."
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && file != root && isElsewhere(file):
			return filepath.SkipDir
		case !strings.HasSuffix(file, ".go") || !wanted(file):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		room := filepath.ToSlash(folder)
		if found[room] == nil {
			found[room] = make(map[string]bool)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[room][path] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// isElsewhere: modules of their own have plans of their own, hidden folders none.
func isElsewhere(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil || strings.HasPrefix(filepath.Base(folder), ".")
}
