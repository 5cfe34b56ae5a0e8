// Package credential owns the forms of secrets: the prefix and checksum that
// every one of them has, the key ring that seals what carries meaning, the
// signing keys of ID tokens, and the hashes of passwords and client secrets.
//
// What a token says is the business of package oauth. Where sealed keys are
// kept is the business of the store.
package credential
