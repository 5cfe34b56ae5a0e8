package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Caller is who sends a request, by the token that came with it.
type Caller interface {
	// Has reports whether the token has the scope.
	Has(scope loop.Scope) bool
	// Lacking is the refusal of a token without the scope.
	Lacking(ctx context.Context, scope loop.Scope) error
}

// Server is what clients find. C is what a tool knows of who calls it.
type Server[C Caller] struct {
	Name, Title, Version string
	Instructions         string // how a model uses the tools
	Tools                []Tool[C]
	Documents            []Document
}

// Tool is something that a model can call.
type Tool[C Caller] struct {
	Name, Title, Description string
	// Scope is what a token needs to see the tool and to call it; empty: any token does.
	Scope         loop.Scope
	Input, Output json.RawMessage // JSON Schema 2020-12, each of an object
	// ReadOnly: it changes nothing.
	ReadOnly bool
	// Call does it. A *loop.Error about what the model sent is answered as a result
	// that the model can mend; a Fault is the client's to mend; any other error ends
	// the request.
	Call func(ctx context.Context, call Call[C]) (Answer, error)
}

// Call is one call of a tool.
type Call[C Caller] struct {
	Tool      string // its name
	Caller    C
	Arguments json.RawMessage
}

func (t *Tool[C]) opensTo(caller C) bool { return t.Scope == "" || caller.Has(t.Scope) }

// Answer is what a tool gives: the same as JSON, and as words.
type Answer struct {
	Structured json.RawMessage // an object, as Output says
	Text       string
}

// Document is something that a client can read.
type Document struct {
	URI, Name, Title, Description, MIMEType string
	Text                                    string
	TTL                                     time.Duration // how long a client may keep it
}

// listTTL is how long a client may keep what there is. It changes with a release.
const listTTL = 5 * time.Minute

// handle answers a request.
func (s *Server[C]) handle(ctx context.Context, caller C, r *request) (map[string]any, error) {
	switch {
	case r.Method == "initialize" && !r.modern:
		return s.initialize(r.params.ProtocolVersion), nil
	case r.Method == "ping" && !r.modern:
		return map[string]any{}, nil
	case r.Method == "server/discover":
		return cacheable(map[string]any{"supportedVersions": versions(), "capabilities": capabilities(), "instructions": s.Instructions}, listTTL), nil
	case r.Method == "tools/list":
		return cacheable(map[string]any{"tools": s.tools(caller)}, listTTL), nil
	case r.Method == "tools/call":
		return s.call(ctx, caller, r.params.Name, r.params.Arguments)
	case r.Method == "resources/list":
		return cacheable(map[string]any{"resources": s.documents()}, listTTL), nil
	case r.Method == "resources/templates/list":
		return cacheable(map[string]any{"resourceTemplates": []any{}}, listTTL), nil
	case r.Method == "resources/read":
		return s.read(r.params.URI)
	}
	return nil, &Fault{Code: codeMethodNotFound, Message: "There is no method " + short(r.Method) + " here."}
}

// initialize answers the handshake of older clients: the revision that they ask for,
// where it is spoken, else the newest with a handshake.
func (s *Server[C]) initialize(requested string) map[string]any {
	version := legacy()[0]
	if slices.Contains(legacy(), requested) {
		version = requested
	}
	return map[string]any{"protocolVersion": version, "capabilities": capabilities(), "serverInfo": s.info(), "instructions": s.Instructions}
}

func capabilities() map[string]any {
	return map[string]any{"tools": map[string]any{}, "resources": map[string]any{}}
}

func (s *Server[C]) info() map[string]any {
	return map[string]any{"name": s.Name, "title": s.Title, "version": s.Version}
}

// cacheable says for how long a client may keep a result for itself.
func cacheable(result map[string]any, ttl time.Duration) map[string]any {
	result["ttlMs"], result["cacheScope"] = ttl.Milliseconds(), "private"
	return result
}

// complete adds what each result of the modern revision has, and takes from others
// what they don't know.
func (s *Server[C]) complete(result map[string]any, modern bool) map[string]any {
	result = maps.Clone(result)
	if modern {
		result["resultType"] = "complete"
		result["_meta"] = map[string]any{metaPrefix + "serverInfo": s.info()}
		return result
	}
	delete(result, "ttlMs")
	delete(result, "cacheScope")
	return result
}

// tools lists what the caller's token may use.
func (s *Server[C]) tools(caller C) []any {
	list := make([]any, 0, len(s.Tools))
	for i := range s.Tools {
		t := &s.Tools[i]
		if !t.opensTo(caller) {
			continue
		}
		list = append(list, map[string]any{
			"name": t.Name, "title": t.Title, "description": t.Description, "inputSchema": t.Input, "outputSchema": t.Output,
			"annotations": map[string]any{"title": t.Title, "readOnlyHint": t.ReadOnly, "openWorldHint": false},
		})
	}
	return list
}

func (s *Server[C]) call(ctx context.Context, caller C, name string, arguments json.RawMessage) (map[string]any, error) {
	at := slices.IndexFunc(s.Tools, func(t Tool[C]) bool { return t.Name == name })
	if at < 0 {
		return nil, InvalidParams("There is no tool " + short(name) + ".")
	}
	tool := &s.Tools[at]
	if !tool.opensTo(caller) {
		return nil, caller.Lacking(ctx, tool.Scope)
	}
	answer, err := tool.Call(ctx, Call[C]{tool.Name, caller, arguments})
	if refused, ok := errors.AsType[*loop.Error](err); ok && mendable(refused.Code) {
		return map[string]any{"content": text(refused.Description), "isError": true}, nil
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"content": text(answer.Text), "structuredContent": answer.Structured, "isError": false}, nil
}

// mendable reports whether a model can do better after an error.
func mendable(code loop.Code) bool {
	return code == loop.ValidationError || code == loop.InvalidRequest || code == loop.NotFound
}

func text(text string) []any { return []any{map[string]any{"type": "text", "text": text}} }

func (s *Server[C]) documents() []any {
	list := make([]any, len(s.Documents))
	for i, d := range s.Documents {
		list[i] = map[string]any{"uri": d.URI, "name": d.Name, "title": d.Title, "description": d.Description, "mimeType": d.MIMEType, "size": len(d.Text)}
	}
	return list
}

func (s *Server[C]) read(uri string) (map[string]any, error) {
	at := slices.IndexFunc(s.Documents, func(d Document) bool { return d.URI == uri })
	if at < 0 {
		return nil, InvalidParams("There is no resource " + short(uri) + ".")
	}
	d := s.Documents[at]
	return cacheable(map[string]any{"contents": []any{map[string]any{"uri": d.URI, "mimeType": d.MIMEType, "text": d.Text}}}, d.TTL), nil
}
