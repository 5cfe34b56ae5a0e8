//go:build unix

package folder

// enforced is whether the bits of a file's mode say who may use it.
const enforced = true
