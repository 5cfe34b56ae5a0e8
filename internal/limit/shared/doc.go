// Package shared counts requests for all processes together, in a Valkey or Redis
// server: the same windows, waits and blocks as package limit, in one script that the
// server runs at once. Where the server does not answer within a tenth of a second,
// it is left alone for a second, and each process counts for itself.
package shared
