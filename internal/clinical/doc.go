// Package clinical is the host that serves health data: a resource server
// (RFC 6750) whose every read is recorded, durably, before it is answered.
//
// It decodes requests and encodes answers. What a result is and how it is
// judged is in package biomarker, what a token stands for in package oauth.
package clinical
