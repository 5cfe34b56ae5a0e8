// Package loop is the domain of Connect with Loop: identifiers, clients and
// their redirect URIs, members, grants, chains, scopes and the closed list of
// errors, each with the rules that hold wherever it is used.
//
// It imports the standard library alone and knows neither HTTP nor SQL. The
// authorization server's acts are in package oauth, people in package member,
// results in package biomarker.
package loop
