package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Member keys are in no backup of the data, and a machine that has lost them says so
// before it makes others.
func TestLoop_MemberKeysAreBackedUpAndRestoredApart(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	o.do("user", "create", "--name", "Ada", "--email", "ada@members.example")
	folder := t.TempDir()
	data, keys := filepath.Join(folder, "data"), filepath.Join(folder, "keys")
	o.do("backup", data)
	if _, says, status := o.try("backup", "--member-keys", keys); status != 0 || !strings.Contains(says, "within a week") {
		t.Fatalf("loop backup --member-keys: status %d: %s", status, says)
	}
	o.env[0] = "LOOP_DIR=" + t.TempDir() // another machine
	if _, says, status := o.try("restore", data); status == 0 || !strings.Contains(says, "loop restore --member-keys") {
		t.Errorf("without the member keys: status %d: %s", status, says)
	}
	if _, says, status := o.try("restore", "--member-keys", data); status == 0 {
		t.Errorf("a backup of the data is taken for one of the keys: %s", says)
	}
	if out := o.do("restore", "--member-keys", keys); !strings.Contains(out, "Restored: the member keys") {
		t.Errorf("loop restore --member-keys says: %s", out)
	}
	if _, says, status := o.try("restore", "--member-keys", keys); status == 0 || !strings.Contains(says, "is there") {
		t.Errorf("over the store that is there: status %d: %s", status, says)
	}
	o.do("restore", data)
	if list := o.do("user", "list"); !strings.Contains(list, "ada@members.example") {
		t.Errorf("after the restore: %s", list)
	}
}
