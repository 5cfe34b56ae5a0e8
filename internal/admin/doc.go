// Package admin is what an operator does from the command line: the commands
// for clients, users, grants, keys and the audit record, and the socket in the
// platform's folder through which they reach a server that runs.
//
// The command line reads the arguments once to say what is wrong with them and
// sends them as they are; the server reads them again and acts, on the stores
// that it has open. Where no server runs, the same function runs in the command
// line's own process. Who may open the socket, mode 0600 in a folder of mode
// 0700, is the operator.
//
// Grammar is the commands, Listen and Dial are the two ends of the socket.
package admin
