//go:build !race

package platform_test

const raced = false
