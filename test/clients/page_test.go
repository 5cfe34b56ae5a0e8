package clients

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// visible is the text of a page; what is no HTML stays as it is.
func visible(body []byte) string {
	if !bytes.Contains(body, []byte("<html")) {
		return string(body)
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return string(body)
	}
	var text strings.Builder
	for node := range root.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "script" && node.Parent.Data != "style" && node.Parent.Data != "title" {
			text.WriteString(node.Data + " ")
		}
	}
	return text.String()
}
