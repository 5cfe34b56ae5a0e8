// Package store is what every engine shares: the form in which records become
// rows and come back, how failures are told, and the clients that are held in
// memory. It holds no query: those are the engine's own. Read sqlite next.
package store
