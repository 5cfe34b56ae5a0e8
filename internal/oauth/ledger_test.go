package oauth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every act of the server goes through decide, which tells apps what becomes of the
// consents to them.
func TestServer_DecidesInOnePlace(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files are found: ", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if file != "ledger.go" && !strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), "Ledger.Decide(") {
			t.Errorf("%s calls the ledger's Decide: call Server.decide", file)
		}
	}
}
