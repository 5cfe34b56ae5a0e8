package postgres

import "slices"

// Schema is one of the platform's schemas in a database, by its name there.
type Schema string

// The schemas. Every role may read shared; of the others each has its own.
const (
	shared   Schema = "shared"
	Identity Schema = "identity"
	Clinical Schema = "clinical"

	// MemberKeys holds the data keys of members, and is no room: nothing in it is
	// recorded or led. It may be in a database of its own.
	MemberKeys Schema = "memberkeys"
)

// room is a schema that a role works on: with a lane of the audit chain for each
// connection that writes, and work that one process leads. Its migrations are in the
// folder of its name, behind those of audit.
type room struct {
	schema  Schema
	lanes   int // the advisory locks of its lanes
	leading int // the number of its leader's lock
}

// rooms are all of them. Another one is a line here.
var rooms = []room{
	{Identity, locksLanesOfIdentity, 0},
	{Clinical, locksLanesOfClinical, 1},
}

func roomOf(schema Schema) room {
	return rooms[slices.IndexFunc(rooms, func(r room) bool { return r.schema == schema })]
}
