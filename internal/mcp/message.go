package mcp

import (
	"bytes"
	"encoding/json"
)

// message is a JSON-RPC 2.0 message as a client sends it.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"` // a string or a number; absent of a notification
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"` // of an answer, which nobody here asked for
	Error   json.RawMessage `json:"error"`
}

// The codes of JSON-RPC 2.0, and those that the protocol adds.
const (
	codeParse          = -32700
	codeInvalidRequest = -32600
	codeMethodNotFound = -32601
	codeInvalidParams  = -32602
	codeHeaderMismatch = -32020
	codeVersion        = -32022
)

// Fault is an error of the protocol: the client has to do otherwise.
type Fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// Error gives the message.
func (f *Fault) Error() string { return f.Message }

// InvalidParams is the fault of a request whose parameters make no sense.
func InvalidParams(text string) *Fault { return &Fault{Code: codeInvalidParams, Message: text} }

// response is the answer to a request.
type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *Fault          `json:"error,omitempty"`
}

// parse reads one message. Batches ended with the revision 2025-06-18.
func parse(body []byte) (message, *Fault) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		return message{}, &Fault{Code: codeInvalidRequest, Message: "Send one message, and not several in an array."}
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return message{}, &Fault{Code: codeParse, Message: "The body is not a JSON object."}
	}
	if m.Version != "2.0" {
		return message{}, &Fault{Code: codeInvalidRequest, Message: `The message needs "jsonrpc": "2.0".`}
	}
	if !m.isAnswer() && m.Method == "" {
		return message{}, &Fault{Code: codeInvalidRequest, Message: "The message needs a method."}
	}
	if m.ID != nil && !validID(m.ID) {
		return message{}, &Fault{Code: codeInvalidRequest, Message: "The id must be a string or a number."}
	}
	return m, nil
}

func validID(id json.RawMessage) bool {
	return id[0] == '"' || id[0] == '-' || id[0] >= '0' && id[0] <= '9'
}

func (m message) isAnswer() bool { return m.Method == "" && (m.Result != nil || m.Error != nil) }

// isNotification reports whether nobody waits for an answer.
func (m message) isNotification() bool { return m.Method != "" && m.ID == nil }
