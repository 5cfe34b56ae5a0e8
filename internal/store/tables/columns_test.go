package tables

import (
	"database/sql"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestColumns(t *testing.T) {
	t.Parallel()
	var (
		id     loop.ChainID
		number uint32
		yes    bool
		at     time.Time
		held   loop.Scopes
		bytes  [16]byte
		named  []string
	)
	for name, test := range map[string]struct {
		column sql.Scanner
		src    any
		took   func() bool
		wrong  any
	}{
		"text":    {text(&id), "code_1", func() bool { return id == "code_1" }, int64(1)},
		"integer": {integer(&number), int64(7), func() bool { return number == 7 }, "7"},
		"truth":   {truth(&yes), int64(1), func() bool { return yes }, "true"},
		"boolean": {truth(&yes), true, func() bool { return yes }, 1.0},
		"moment":  {moment(&at), int64(1_000_000), func() bool { return at.Equal(time.Unix(1, 0)) }, 1.5},
		"scopes":  {scopes(&held), "profile openid", func() bool { return held.String() == "openid profile" }, []byte("openid")},
		"words":   {words(&named), "a b", func() bool { return len(named) == 2 && named[1] == "b" }, int64(1)},
		"salt":    {salt(&bytes), make([]byte, 16), func() bool { return bytes == [16]byte{} }, make([]byte, 15)},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.column.Scan(test.src); err != nil || !test.took() {
				t.Errorf("%v was not taken: %v", test.src, err)
			}
			if err := test.column.Scan(nil); err != nil || !test.took() {
				t.Errorf("NULL does not leave the field as it is: %v", err)
			}
			if err := test.column.Scan(test.wrong); err == nil || !test.took() {
				t.Errorf("%v was taken", test.wrong)
			}
		})
	}
}
