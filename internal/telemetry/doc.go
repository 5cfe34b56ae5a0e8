// Package telemetry is what an operator's machines see of a running platform:
// whether the process lives and can serve (readiness.go), how it does
// (metrics.go, collector.go) and, where the environment asks for it, what each
// request went through (traces.go). All of it is answered on a listener of its
// own (handler.go), which the world MUST NOT reach.
//
// It owns the names of the metrics; what they count is counted in the rooms.
// docs/operating.md says how to read them.
package telemetry
