// Package store is what every engine shares beside its tables: what a failure is
// answered with, the clients that are held in memory, numbered migrations, figures.
// Read tables next, then sqlite.
package store
