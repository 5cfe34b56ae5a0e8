// Package mcp speaks the Model Context Protocol as a server over HTTP: each request is
// a POST of its own, and nothing is remembered between two. It knows two eras: the
// revision 2026-07-28, whose requests carry what they need to know about each other,
// and the handshakes of 2025-11-25 and 2025-06-18 for older clients. What the tools do
// is their host's.
//
//	POST ──► message.go ──► era.go: which revision, do header and body agree
//	                          └──► server.go: discover, list, read, call ──► answer
package mcp
