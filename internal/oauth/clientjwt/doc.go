// Package clientjwt reads what clients sign: the key sets that they register or
// publish, and JWTs made with a private key of theirs. Client assertions, request
// objects and DPoP proofs are such JWTs; what their claims mean is for the rooms
// that take them.
//
// Start with jwt.go.
package clientjwt
