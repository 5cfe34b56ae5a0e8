package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const developers = platformtest.Developers

// developerOf opens a browser and signs a member in to the portal with it.
func developerOf(t *testing.T, p *platformtest.Platform, m *loop.Member) *platformtest.Browser {
	t.Helper()
	b := p.NewBrowser(t)
	if r := b.Get(answerOf(t, b, m, "/apps")); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/apps" {
		t.Fatalf("signing in to the portal: %d %s %s", r.StatusCode, r.Header.Get("Location"), r.Text)
	}
	return b
}

// answerOf takes a member through sign-in at identity and gives the address that
// the browser is then sent to: the portal's callback, with identity's answer.
func answerOf(t *testing.T, b *platformtest.Browser, m *loop.Member, path string) string {
	t.Helper()
	login := b.Get(developers + path).Redirected(t)
	page := b.Follow(b.Get(login.String()))
	if page.Field("password") == "" && strings.Contains(page.Text, `id="sign-in"`) {
		page = b.SignIn(page, m)
	}
	answer := page.Redirected(t).String()
	if !strings.HasPrefix(answer, developers+"/callback?") {
		t.Fatalf("identity answers to %s", answer)
	}
	return answer
}

// arrive follows redirects between the portal and identity, as a browser does.
func arrive(t *testing.T, b *platformtest.Browser, r *platformtest.Response) *platformtest.Response {
	t.Helper()
	for range 20 {
		if r.StatusCode != http.StatusSeeOther {
			return r
		}
		r = b.Get(r.Redirected(t).String())
	}
	t.Fatal("the redirects have no end")
	return nil
}

// form is a form of the portal, as the page that showed it would send it.
func form(page *platformtest.Response, fields url.Values) url.Values {
	sent := url.Values{"csrf": {page.Field("csrf")}}
	for name, values := range fields {
		sent[name] = values
	}
	return sent
}

// filledIn is the page's form about an app as a browser would send it, untouched.
func filledIn(t *testing.T, page *platformtest.Response) url.Values {
	t.Helper()
	sent := url.Values{}
	chosen := ""
	for _, node := range elements(page.Text) {
		_, checked := attrs(node)["checked"]
		_, selected := attrs(node)["selected"]
		kind, name := attr(node, "type"), attr(node, "name")
		switch {
		case node.Data == "select":
			chosen = name
			sent.Set(name, "")
		case node.Data == "option" && selected:
			sent.Set(chosen, attr(node, "value"))
		case node.Data == "textarea":
			sent.Set(name, innerText(node))
		case node.Data != "input", name == "", (kind == "radio" || kind == "checkbox") && !checked, name == "csrf" && sent.Has("csrf"):
		default:
			value := attr(node, "value")
			if value == "" && kind == "checkbox" {
				value = "on"
			}
			sent.Add(name, value)
		}
	}
	if sent.Get("settings") == "" {
		t.Fatalf("the page has no form of an app's settings: %d", page.StatusCode)
	}
	return sent
}

func attrs(node *html.Node) map[string]string {
	all := map[string]string{}
	for _, a := range node.Attr {
		all[a.Key] = a.Val
	}
	return all
}

// newApp is what a developer fills in to register an app.
func newApp() url.Values {
	return url.Values{
		"name": {"Morning Labs"}, "redirect_uri": {"http://localhost:5000/callback", ""},
		"type": {"confidential"}, "scope": {"openid", "profile", "read:biomarkers"},
	}
}

// register registers an app and gives its path and its secret.
func register(t *testing.T, b *platformtest.Browser, fields url.Values) (path, secret string) {
	t.Helper()
	r := b.Post(developers+"/apps/new", form(b.Get(developers+"/apps/new"), fields))
	path = strings.TrimSuffix(r.Redirected(t).Path, "/secret")
	return path, textOf(b.Get(r.Redirected(t).String()).Text, "secret")
}

func idOf(path string) loop.ClientID { return loop.ClientID(strings.TrimPrefix(path, "/apps/")) }

// textOf gives the text of the page's element with the id.
func textOf(page, id string) string {
	for _, node := range elements(page) {
		if attr(node, "id") == id {
			return innerText(node)
		}
	}
	return ""
}

func innerText(node *html.Node) string {
	var text strings.Builder
	for child := range node.Descendants() {
		if child.Type == html.TextNode {
			text.WriteString(child.Data)
		}
	}
	return strings.TrimSpace(text.String())
}

func elements(page string) []*html.Node {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil
	}
	var found []*html.Node
	for node := range root.Descendants() {
		if node.Type == html.ElementNode {
			found = append(found, node)
		}
	}
	return found
}

func attr(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
