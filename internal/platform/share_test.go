package platform_test

// share is what a randomised test does of its full size: all of it, or a tenth under
// the race detector, where each step takes ten times as long. `./scripts/test random`
// runs the full size.
func share(full int) int {
	if raced {
		return max(1, full/10)
	}
	return full
}
