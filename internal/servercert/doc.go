// Package servercert holds the certificate by which the platform ends TLS itself: it
// is judged before it is used, and read again where its files have changed, so that a
// renewed one is served without a restart.
package servercert
