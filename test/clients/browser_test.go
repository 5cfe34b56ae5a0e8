package clients

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/loop-health/loop/test/process"
)

// tab is the member with a real browser, at the page of an app that is nothing but a page.
type tab struct {
	platform *platform
	address  string
	ctx      context.Context // chromedp has no other handle
}

// tab opens a browser with an empty profile, which lives as long as the test.
func (p *platform) tab(t *testing.T, address string) *tab {
	t.Helper()
	profile, err := os.MkdirTemp("", "loop-clients-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)),
		chromedp.UserDataDir(profile),
		chromedp.NoSandbox, // it refuses to start as root with one
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(process.Patience),
	})
	life, end := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(end)
	allocator, endBrowser := chromedp.NewExecAllocator(life, options...)
	ctx, endTab := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil { // here, and not under the time of a step
		endBrowser() // ending the tab of a browser that never came up would wait for ever
		t.Fatalf("starting the browser: %v", err)
	}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		endTab()
		endBrowser()
	})
	return &tab{platform: p, address: address, ctx: ctx}
}

// chromium gives the path of the browser.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("LOOP_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return need(t, "LOOP_TEST_CHROMIUM", "Chromium")
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, process.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("the browser: %v", err)
	}
}

// eval gives the text that an expression of JavaScript comes to, in the end.
func (b *tab) eval(t *testing.T, expression string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, process.Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("the browser: %v", err)
	}
	return value
}

func (b *tab) signIn(t *testing.T) string {
	t.Helper()
	said, signIn := chromedp.CSS("#said:not(:empty)"), chromedp.CSS("#said:not(:empty), #sign-in, #allow, #continue")
	b.do(t, chromedp.Navigate(b.address), chromedp.Click(chromedp.CSS("#loop")), chromedp.WaitVisible(signIn))
	for _, button := range []string{"sign-in", "continue", "allow"} {
		if !b.has(t, "#"+button) {
			continue
		}
		if button == "sign-in" {
			b.do(t, chromedp.SendKeys(chromedp.CSS("#email"), b.platform.env["LOOP_MEMBER_EMAIL"]),
				chromedp.SendKeys(chromedp.CSS("#password"), b.platform.env["LOOP_MEMBER_PASSWORD"]))
		}
		if left := `input[name=scope][value="` + leftOut + `"]:checked`; button == "allow" && b.has(t, left) {
			b.do(t, chromedp.Click(chromedp.CSS(left)))
		}
		b.do(t, chromedp.Click(chromedp.CSS("#"+button)), chromedp.WaitNotPresent(chromedp.CSS("#"+button)), chromedp.WaitVisible(signIn))
	}
	b.do(t, chromedp.WaitVisible(said))
	if said := b.eval(t, `document.querySelector("#said").textContent`); said != "signed in" {
		return said
	}
	return ""
}

func (b *tab) has(t *testing.T, selector string) bool {
	t.Helper()
	quoted, _ := json.Marshal(selector) // a string is always JSON
	return b.eval(t, `String(document.querySelector(`+string(quoted)+`) !== null)`) == "true"
}

func (b *tab) ask(t *testing.T, _, path string) (got answer, has bool, fault string) {
	t.Helper()
	name := strings.TrimPrefix(path, "/")
	said := b.eval(t, `app.`+name+` ? app.`+name+`().then(JSON.stringify, (fault) => "fault " + fault) : "none"`)
	if said == "none" {
		return got, false, ""
	}
	if fault, thrown := strings.CutPrefix(said, "fault "); thrown {
		return got, true, fault
	}
	if err := json.Unmarshal([]byte(said), &got); err != nil {
		return got, true, said
	}
	return got, true, ""
}
