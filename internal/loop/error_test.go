package loop_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

// A code that is not listed would have neither a status nor a page.
func TestCodes_ListsEveryCodeThatThereIs(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	listed := loop.Codes()
	count := 0
	ast.Inspect(file, func(node ast.Node) bool {
		constant, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := constant.Type.(*ast.Ident); !ok || kind.Name != "Code" {
			return true
		}
		value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if count++; !slices.Contains(listed, loop.Code(value)) {
			t.Errorf("%s is not listed", value)
		}
		return false
	})
	if count != len(listed) {
		t.Errorf("%d codes are listed, %d are there", len(listed), count)
	}
}
