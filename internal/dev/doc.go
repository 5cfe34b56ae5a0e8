// Package dev is what `loop dev` has beyond the platform itself: a folder for
// its state, free ports on loopback, a certificate authority of its own and a
// proxy through which the real host names lead to this machine, the settings
// that an app needs, and the ways to find, enter and stop a platform that runs.
//
// Nothing on the machine is changed: no hosts file, no trust store, no port
// below 1024. Everything lives in one folder, and deleting it starts over.
//
// Start is the way in; Dev is a running platform. The administrative socket
// through which other commands reach it is package admin.
package dev
