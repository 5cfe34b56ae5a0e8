package mcp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The revisions that are spoken, the newest first.
const modern = "2026-07-28"

func legacy() []string { return []string{"2025-11-25", "2025-06-18"} }

func versions() []string { return append([]string{modern}, legacy()...) }

// The headers by which a request says again what its body says, for proxies.
const (
	versionHeader = "Mcp-Protocol-Version"
	methodHeader  = "Mcp-Method"
	nameHeader    = "Mcp-Name"
)

// metaPrefix is that of the protocol's own keys in _meta.
const metaPrefix = "io.modelcontextprotocol/"

// request is a message whose revision is known.
type request struct {
	message
	modern bool
	params struct {
		Name            string          `json:"name"`
		URI             string          `json:"uri"`
		Arguments       json.RawMessage `json:"arguments"`
		ProtocolVersion string          `json:"protocolVersion"` // of initialize
		Meta            map[string]any  `json:"_meta"`
	}
}

// newRequest finds out which revision a message is of, and refuses one whose headers
// contradict it.
func newRequest(m message, header http.Header) (*request, *Fault) {
	r := &request{message: m}
	if len(m.Params) > 0 && json.Unmarshal(m.Params, &r.params) != nil {
		return nil, InvalidParams("params must be an object, with the fields that the method has.")
	}
	version, says := r.params.Meta[metaPrefix+"protocolVersion"].(string)
	sent := header.Get(versionHeader)
	older, named := slices.Contains(legacy(), sent), header.Get(methodHeader)
	r.modern = says || named != "" && !older || m.Method == "server/discover"
	switch {
	case !r.modern && named != "" && named != m.Method: // no client must, but some do
		return nil, mismatch(methodHeader, "the method")
	case !r.modern && (sent == "" || older):
		return r, nil
	case !r.modern && sent != modern:
		return nil, unknownVersion(sent)
	case !says:
		return nil, InvalidParams("_meta lacks " + metaPrefix + "protocolVersion.")
	case version != sent:
		return nil, mismatch(versionHeader, "_meta's protocolVersion")
	case version != modern:
		return nil, unknownVersion(version)
	}
	if _, ok := r.params.Meta[metaPrefix+"clientCapabilities"].(map[string]any); !ok {
		return nil, InvalidParams("_meta lacks " + metaPrefix + "clientCapabilities, an object that may be empty.")
	}
	return r, r.compareHeaders(header)
}

func unknownVersion(requested string) *Fault {
	return &Fault{
		Code: codeVersion, Message: "This revision of the protocol is not spoken here.",
		Data: map[string]any{"supported": versions(), "requested": short(requested)},
	}
}

func mismatch(header, body string) *Fault {
	return &Fault{Code: codeHeaderMismatch, Message: fmt.Sprintf("The header %s must equal %s.", header, body)}
}

// compareHeaders holds the headers of a modern request against its body.
func (r *request) compareHeaders(header http.Header) *Fault {
	if header.Get(methodHeader) != r.Method {
		return mismatch(methodHeader, "the method")
	}
	named := ""
	switch r.Method {
	case "tools/call", "prompts/get":
		named = r.params.Name
	case "resources/read":
		named = r.params.URI
	default:
		return nil
	}
	if name, ok := decodeHeader(header.Get(nameHeader)); !ok || name != named {
		return mismatch(nameHeader, "the name or uri in params")
	}
	return nil
}

// decodeHeader reads a value that a header carries plainly or as =?base64?…?=.
func decodeHeader(value string) (string, bool) {
	encoded, found := strings.CutPrefix(value, "=?base64?")
	if !found {
		return value, true
	}
	encoded, found = strings.CutSuffix(encoded, "?=")
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	return string(decoded), found && err == nil
}

// short keeps what a stranger made up within bounds.
func short(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "")
	}
	return text
}
