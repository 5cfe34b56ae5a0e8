package folder

// enforced is whether the bits of a file's mode say who may use it: Windows has
// lists of its own.
const enforced = false
