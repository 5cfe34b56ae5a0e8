package internal_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// Two that take the same number at the same time would keep every platform from
// starting.
func TestMigrationsAreNumberedOneAfterTheOther(t *testing.T) {
	folders, err := filepath.Glob("store/*/schema/*")
	if err != nil || len(folders) < 8 {
		t.Fatalf("only %d folders of migrations, %v", len(folders), err)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.sql"))
		if err != nil {
			t.Fatal(err)
		}
		for i, file := range files {
			if name := filepath.Base(file); !strings.HasPrefix(name, fmt.Sprintf("%04d_", i+1)) {
				t.Errorf("%s is not numbered %04d", file, i+1)
			}
		}
	}
}
