package store

import "time"

// Commit is one transaction of a database's writer.
type Commit struct {
	Acts   int // that it carried (group commit)
	Took   time.Duration
	Failed bool // it is not durable, or nobody knows
}

// Figures is how a database does at a moment.
type Figures struct {
	Waiting    int // acts that wait for the next commit
	Open       int // connections of the pool
	InUse      int // those of them at work
	Waited     uint64
	WaitedFor  time.Duration // for a connection, since the start
	Statements uint64        // run since the start, those that begin and end transactions too
}
