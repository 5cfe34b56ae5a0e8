// Package deploy_test holds each file for operators to the language that it is
// written in, as far as that goes without a daemon, and to what it promises.
package deploy_test

import (
	"os"
	"testing"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
