package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const logsPage = "docs/logs.md"

// logRow is a row of the page that explains a field.
var logRow = regexp.MustCompile("(?m)^\\| ((?:`\\w+`(?:, )?)+) \\|")

// TestLogs_ThePageHasEveryField: what the code logs is explained, and what is explained
// is logged.
func TestLogs_ThePageHasEveryField(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", logsPage))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{"time": true, "level": true, "msg": true} // slog's own
	for _, row := range logRow.FindAllStringSubmatch(string(page), -1) {
		for _, name := range strings.Split(row[1], ", ") {
			explained[strings.Trim(name, "`")] = true
		}
	}
	logged := loggedFields(t)
	for name, where := range logged {
		if !explained[name] {
			t.Errorf("%s does not explain %s, which %s logs", logsPage, name, where)
		}
	}
	for name := range explained {
		if logged[name] == "" && !slices.Contains([]string{"time", "level", "msg"}, name) {
			t.Errorf("%s explains %s, which nothing logs", logsPage, name)
		}
	}
}

// loggedFields gives the names of all fields of the log, each with a file that logs it.
func loggedFields(t *testing.T) map[string]string {
	t.Helper()
	fields := make(map[string]string)
	for _, folder := range []string{".", "../cmd/loop"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "test/") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					for _, name := range fieldsOf(call) {
						fields[name] = path
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return fields
}

// fieldsOf gives the fields that a call logs: log.Info("message", "field", value),
// log.With("field", value) or slog.String("field", value).
func fieldsOf(call *ast.CallExpr) (names []string) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	receiver := ""
	switch of := method.X.(type) {
	case *ast.Ident:
		receiver = of.Name
	case *ast.SelectorExpr:
		receiver = of.Sel.Name
	}
	first := -1 // the argument that is the first field's name
	switch level := strings.TrimSuffix(method.Sel.Name, "Context"); {
	case receiver == "slog" && slices.Contains([]string{"String", "Int", "Int64", "Float64", "Bool", "Any", "Duration", "Time"}, method.Sel.Name):
		first = 0
	case !strings.EqualFold(receiver, "log"):
	case level == "With":
		first = 0
	case slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, level):
		first = 1
		if level != method.Sel.Name {
			first = 2
		}
	}
	for i := first; first >= 0 && i < len(call.Args); i += 2 {
		if text, ok := call.Args[i].(*ast.BasicLit); ok {
			name, _ := strconv.Unquote(text.Value)
			names = append(names, name)
		}
	}
	return names
}
