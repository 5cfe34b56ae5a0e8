// Package clients runs other people's client libraries, as they are published, each in
// the smallest app that can be made with it, against the built platform. A member signs
// in, leaves a scope out and later disconnects the app; the app reads who they are and
// refreshes, twice in a row, twice at once and after its token has expired.
//
// Each library is tried up to three times: as its README has it, the same with PKCE
// switched on, and with the lines of the table of libraries
// (internal/registration/library), which the portal shows with an app's own values. So
// an app's file, such as python/authlib.py, has a line "LINES" where these lines are put,
// and a file of its README's lines beside it, python/authlib.readme.py. The other files
// of a folder are what its apps share.
//
// results.json is what came of it; docs/works-with.md is made of that and the table. A
// run compares; with -update it writes:
//
//	go test ./clients -update                     all that this machine has
//	go test ./clients -run 'Libraries/authlib$'   one
//
// LOOP_TEST_CLIENTS names the runtimes of a run, such as "python" or "node,browser";
// scripts/test takes a third of them by turn, and all with --long.
package clients
