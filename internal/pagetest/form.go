// Package pagetest reads the platform's pages as a browser does, for tests and
// benchmarks: it finds a form and gives what pressing one of its buttons would send.
package pagetest

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Form is a form of a page, about to be sent.
type Form struct {
	Method string     // GET where the form does not say
	Action string     // where it goes, relative to the page
	Values url.Values // hidden fields, ticked boxes, and the button that was pressed
}

// Press finds the form with the button of the given id and presses it; nil where
// the page has no such button.
func Press(body io.Reader, button string) (*Form, error) {
	root, err := html.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	for node := range root.Descendants() {
		if node.Data == "form" && holds(node, button) {
			method := cmp.Or(strings.ToUpper(attribute(node, "method")), http.MethodGet)
			return &Form{Method: method, Action: attribute(node, "action"), Values: fields(node, button)}, nil
		}
	}
	return nil, nil
}

func holds(form *html.Node, id string) bool {
	for node := range form.Descendants() {
		if attribute(node, "id") == id {
			return true
		}
	}
	return false
}

func fields(form *html.Node, button string) url.Values {
	values := make(url.Values)
	for node := range form.Descendants() {
		if name := attribute(node, "name"); name != "" && isSent(node, button) {
			values.Add(name, attribute(node, "value"))
		}
	}
	return values
}

func isSent(node *html.Node, button string) bool {
	if node.Data == "button" {
		return attribute(node, "id") == button
	}
	_, checked := lookUp(node, "checked")
	kind := attribute(node, "type")
	return node.Data == "input" && (kind == "hidden" || kind == "checkbox" && checked)
}

func attribute(node *html.Node, name string) string {
	value, _ := lookUp(node, name)
	return value
}

func lookUp(node *html.Node, name string) (string, bool) {
	at := slices.IndexFunc(node.Attr, func(a html.Attribute) bool { return a.Key == name })
	if at < 0 {
		return "", false
	}
	return node.Attr[at].Val, true
}
