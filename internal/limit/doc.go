// Package limit counts requests and says when there were too many: so many a
// minute for each class of requests and each key, in a window that slides.
//
// It is kept in memory, on one machine, and begins anew with the process. It
// knows neither HTTP nor why a request is made: whoever calls it has decided
// who asks (Key) and for what (Class). Sign-in has rules of its own, in
// internal/member.
//
// Begin with Limits.Allow; window.go has the arithmetic, shard.go what is kept.
package limit
