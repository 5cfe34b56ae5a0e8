// Package connection is what members see and do about the apps that they allowed:
// which ones, what each may see, when it was last used, what it read, and taking
// that away again. It joins what identity keeps (grants, clients, chains) with the
// record of reads that clinical keeps.
//
// It knows neither HTTP nor SQL. Pages and API are in package account; grants are
// decided by package oauth. Start with Connections.
package connection
