package dev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// devEnvFile holds what an app needs, ready for a shell to source.
const devEnvFile = "dev.env"

// Variable is one setting of an app.
type Variable struct{ Name, Value string }

// ReadVariables reads the dev.env of a state folder; a folder that has none yet
// gives none.
func ReadVariables(folder string) ([]Variable, error) {
	path := filepath.Join(folder, devEnvFile)
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of our own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the settings for apps can't be read: %w", err)
	}
	variables, err := parseVariables(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; delete it, and it is written anew at the next start", path, err)
	}
	return variables, nil
}

// writeVariables writes the dev.env of a state folder.
func writeVariables(folder string, variables []Variable) error {
	text, err := formatVariables(variables)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, devEnvFile), []byte(text))
}

// formatVariables writes one line of shell for each variable. A quote within the
// quotes is written as in every shell: close, a quote with a backslash, open.
func formatVariables(variables []Variable) (string, error) {
	var text strings.Builder
	for _, v := range variables {
		if !validName(v.Name) || strings.ContainsAny(v.Value, "\x00\r\n") {
			return "", fmt.Errorf("the variable %q can't be written as one line of shell", v.Name)
		}
		fmt.Fprintf(&text, "export %s='%s'\n", v.Name, strings.ReplaceAll(v.Value, "'", `'\''`))
	}
	return text.String(), nil
}

// parseVariables reads what formatVariables writes, and leaves out empty lines
// and comments. It reads no other shell: what it can't read is an error that
// names the line, not a guess.
func parseVariables(text string) ([]Variable, error) {
	var variables []Variable
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		v, ok := parseVariable(line)
		if !ok {
			return nil, fmt.Errorf("line %d does not read export NAME='value'", number)
		}
		variables = append(variables, v)
	}
	return variables, nil
}

func parseVariable(line string) (Variable, bool) {
	assignment, ok := strings.CutPrefix(line, "export ")
	name, quoted, found := strings.Cut(assignment, "=")
	inner, opens := strings.CutPrefix(quoted, "'")
	inner, closes := strings.CutSuffix(inner, "'")
	if !ok || !found || !opens || !closes || !validName(name) {
		return Variable{}, false
	}
	value := strings.ReplaceAll(inner, `'\''`, "\x00")
	if strings.ContainsAny(inner, "\x00\r") || strings.Contains(value, "'") {
		return Variable{}, false
	}
	return Variable{Name: name, Value: strings.ReplaceAll(value, "\x00", "'")}, true
}

func validName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) < 0 && (name[0] < '0' || name[0] > '9')
}
