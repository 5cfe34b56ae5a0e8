package test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/loop-health/loop/test/process"
)

// browser is a real Chromium with an empty profile, which reaches the platform
// by the flags of `loop dev browser`.
type browser struct {
	platform *platform
	ctx      context.Context // the tab: chromedp has no other handle

	mu    sync.Mutex
	asked []string // every address that the tab asked for, in order, redirects included
}

// browser starts a browser that lives as long as the test.
func (p *platform) browser(t *testing.T) *browser {
	t.Helper()
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(needChromium(t)),
		chromedp.UserDataDir(profileFolder(t)),
		chromedp.NoSandbox, // it refuses to start as root with one
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(browserStart),
	}, p.browserFlags(t))
	life, end := context.WithTimeout(context.Background(), browserLife)
	t.Cleanup(end)
	allocator, endBrowser := chromedp.NewExecAllocator(life, options...)
	ctx, endTab := chromedp.NewContext(allocator)
	b := &browser{platform: p, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		endBrowser() // ending the tab of a browser that never came up would wait for ever
		t.Fatalf("starting the browser: %v", err)
	}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		endTab()
		endBrowser()
	})
	return b
}

// A browser's first start on a busy machine takes its time; a test that waits
// for something that never comes ends with an error, not with the time of all.
const (
	browserStart = 90 * time.Second
	browserLife  = 5 * time.Minute
)

// profileFolder is a temporary folder whose removal does not fail on what a
// browser that is ending still writes.
func profileFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "loop-test-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// browserFlags are the flags by which `loop dev browser` leads a browser to the
// platform. A stand-in for Chromium prints them, so that the tests' browser
// trusts just what a developer's does.
func (p *platform) browserFlags(t *testing.T) []chromedp.ExecAllocatorOption {
	t.Helper()
	standIn := t.TempDir()
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(standIn, "chromium"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := p.command(t, "dev", "browser", "http://localhost:5000/login")
	cmd.Env = process.Inherit("PATH=" + standIn + string(os.PathListSeparator) + os.Getenv("PATH"))
	called := process.Start(t, cmd)
	if status := called.Wait(t); status != 0 {
		t.Fatalf("loop dev browser ended with status %d", status)
	}
	var options []chromedp.ExecAllocatorOption
	for line := range strings.Lines(called.Stdout.String()) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "--"), "=")
		if name == "proxy-pac-url" || name == "ignore-certificate-errors-spki-list" {
			options = append(options, chromedp.Flag(name, value))
		}
	}
	return options
}

// listen notes what goes by and must not be in a log.
func (b *browser) listen(event any) {
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		b.mu.Lock()
		b.asked = append(b.asked, event.Request.URL)
		b.mu.Unlock()
		b.platform.secrets.sawURL(event.Request.URL)
		for _, entry := range event.Request.PostDataEntries {
			if form, err := url.ParseQuery(string(entry.Bytes)); err == nil {
				b.platform.secrets.sawValues(form)
			}
		}
	case *network.EventResponseReceivedExtraInfo:
		for name, value := range event.Headers {
			if lines, ok := value.(string); ok && strings.EqualFold(name, "Set-Cookie") {
				for line := range strings.SplitSeq(lines, "\n") {
					b.platform.secrets.sawSetCookie(line)
				}
			}
		}
	}
}

// lastAsked is the newest address that the tab asked for and that begins so.
func (b *browser) lastAsked(t *testing.T, begin string) *url.URL {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range slices.Backward(b.asked) {
		if strings.HasPrefix(address, begin) {
			parsed, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			return parsed
		}
	}
	t.Fatalf("the browser asked for nothing that begins with %s, but for:\n%s", begin, strings.Join(b.asked, "\n"))
	return nil
}

// do runs steps in the tab.
func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, process.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%v\nthe page is:\n%s", err, b.text())
	}
}

// leads runs steps that end on another page and gives its status.
func (b *browser) leads(t *testing.T, steps ...chromedp.Action[chromedp.Void]) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, process.Patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		t.Fatalf("%v\nthe page is:\n%s", err, b.text())
	}
	return int(response.Status)
}

// open goes to an address and gives the status of the page where it ends.
func (b *browser) open(t *testing.T, address string) int {
	t.Helper()
	return b.leads(t, chromedp.Navigate(address))
}

// press clicks what leads to another page and gives its status.
func (b *browser) press(t *testing.T, id string) int {
	t.Helper()
	return b.leads(t, chromedp.Click(chromedp.CSS("#"+id)))
}

// fill types into a field, in place of what it held.
func (b *browser) fill(t *testing.T, id, text string) {
	t.Helper()
	field := chromedp.CSS("#" + id)
	b.do(t, chromedp.WaitVisible(field), chromedp.Clear(field), chromedp.SendKeys(field, text))
}

// signIn fills in the sign-in page with an account of dev.env, and presses on.
func (b *browser) signIn(t *testing.T, account string) {
	t.Helper()
	b.fill(t, "email", b.platform.env[account+"_EMAIL"])
	b.fill(t, "password", b.platform.env[account+"_PASSWORD"])
	b.press(t, "sign-in")
}

// signUp goes from the sign-in page to a new account.
func (b *browser) signUp(t *testing.T, name, email string) {
	t.Helper()
	b.press(t, "create-account")
	b.fill(t, "name", name)
	b.fill(t, "email", email)
	b.fill(t, "password", "orbit paper pencil window")
	if status := b.press(t, "sign-up"); status != http.StatusOK {
		t.Fatalf("after signing up the answer is %d:\n%s", status, b.text())
	}
	b.open(t, b.platform.mailTo(t, email))
	b.press(t, "link")
	if status := b.press(t, "confirm"); status != http.StatusOK {
		t.Fatalf("after confirming the address the answer is %d:\n%s", status, b.text())
	}
}

// mailTo gives the page of the newest mail to an address; with subjects, of the newest
// that has one of them. The platform sends mails beside its answers, so that the inbox
// may have it a little later.
func (p *platform) mailTo(t *testing.T, email string, subjects ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), process.Patience)
	defer cancel()
	for {
		for item := range strings.SplitSeq(p.inboxPage(ctx, t), "<li>") {
			about := func(subject string) bool { return strings.Contains(item, ">"+subject+"<") }
			if strings.Contains(item, "to "+email+",") && (len(subjects) == 0 || slices.ContainsFunc(subjects, about)) {
				_, path, _ := strings.Cut(item, `href="`)
				path, _, _ = strings.Cut(path, `"`)
				return p.env["LOOP_INBOX_URL"] + path
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// inboxPage is the list of the mails that would have been sent.
func (p *platform) inboxPage(ctx context.Context, t *testing.T) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.env["LOOP_INBOX_URL"], nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end below
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// leaveOut unticks the box of a scope.
func (b *browser) leaveOut(t *testing.T, scope string) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.CSS(`input[type=checkbox][name=scope][value="`+scope+`"]`)))
}

// address is where the tab is.
func (b *browser) address(t *testing.T) string {
	t.Helper()
	return b.eval(t, "document.location.href")
}

// eval gives the value of a JavaScript expression.
func (b *browser) eval(t *testing.T, expression string) string {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// text is what the page says; for a message, so that it never fails.
func (b *browser) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, process.Patience/10)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.location.href + "\n" + document.body.innerText`))
	return text
}

// has says whether the page has an element.
func (b *browser) has(t *testing.T, selector string) bool {
	t.Helper()
	return b.eval(t, `String(document.querySelector(`+quote(selector)+`) !== null)`) == "true"
}

// textOf is what an element says.
func (b *browser) textOf(t *testing.T, selector string) string {
	t.Helper()
	return strings.TrimSpace(b.eval(t, `document.querySelector(`+quote(selector)+`).textContent`))
}

// shown reads the JSON that the app shows.
func (b *browser) shown(t *testing.T) shown {
	t.Helper()
	body := b.eval(t, "document.body.innerText")
	b.platform.secrets.sawJSON([]byte(body))
	var got shown
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("the app shows no JSON (%v):\n%s", err, b.text())
	}
	b.platform.secrets.sawJSON(got.Biomarkers)
	return got
}

// shown is the answer of the quickstart's app.
type shown struct {
	Message    string          `json:"message"`
	Scopes     string          `json:"scopes"`
	Biomarkers json.RawMessage `json:"biomarkers"`
	Error      string          `json:"error"`
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // a string is always JSON
	return string(quoted)
}
