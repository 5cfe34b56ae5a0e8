// Package web is what the public hosts share: a Site with its routes and the
// chain that every request passes, the one way from an error to an answer, and
// the reading of forms, cookies and origins.
//
// It knows HTTP and nothing of accounts, tokens or results; those are the
// business of identity, clinical and portal, each of which is one Site.
package web
