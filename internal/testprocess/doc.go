// Package testprocess has programs that tests and benchmarks start end with the
// process that started them, also where that is killed and can clean nothing up.
//
// What a killed process leaves on disk, in temporary folders, it doesn't remove.
package testprocess
