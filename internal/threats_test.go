package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const threatsPage = "docs/threats.md"

var (
	threatRow  = regexp.MustCompile(`(?m)^\| (\d{3}) \| ([^|]+) \| ([^|]+) \|$`)
	threatCite = regexp.MustCompile(`Sec(\d{3})`)
	testFunc   = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	testName   = regexp.MustCompile(`^TestSec\d{3}(_Sec\d{3})*_[A-Z]\w+$`)
	testNumber = regexp.MustCompile(`^TestSec\d{3}(_Sec\d{3})*_`)
)

// threat is a line of the page.
type threat struct {
	number, sentence string
	tests            []string
}

// threatTests is what the repository's test files hold about threats.
type threatTests struct {
	files map[string][]string // by the name of a test, the numbers that its file mentions
	named map[string][]string // by number, the tests that bear it
}

// TestThreats_PageAndTestsAgree: each threat has its tests, and each test that
// bears a number, or mentions one, has its threat.
func TestThreats_PageAndTestsAgree(t *testing.T) {
	page := readThreats(t)
	tests := readThreatTests(t)
	listed := map[string]bool{}
	last := ""
	for _, threat := range page {
		listed[threat.number] = true
		if threat.number <= last {
			t.Errorf("%s: %s comes after %s: numbers are unique and rise", threatsPage, threat.number, last)
		}
		last = threat.number
		for _, name := range threat.tests {
			if numbers, exists := tests.files[name]; !exists {
				t.Errorf("%s: %s names %s, which doesn't exist", threatsPage, threat.number, name)
			} else if !slices.Contains(numbers, threat.number) {
				t.Errorf("%s: %s names %s, whose file doesn't mention Sec%s", threatsPage, threat.number, name, threat.number)
			}
		}
		for _, name := range tests.named[threat.number] {
			if !slices.Contains(threat.tests, name) {
				t.Errorf("%s: the line of %s doesn't name %s", threatsPage, threat.number, name)
			}
		}
	}
	for name, numbers := range tests.files {
		for _, number := range numbers {
			if !listed[number] {
				t.Errorf("the file of %s mentions Sec%s, which %s doesn't have: add a line", name, number, threatsPage)
				listed[number] = true
			}
		}
	}
}

// TestThreats_TestsHaveOneForm: a test that bears a number is called
// TestSec042_WhatIsTrue, or TestSec042_Sec043_WhatIsTrue.
func TestThreats_TestsHaveOneForm(t *testing.T) {
	for name := range readThreatTests(t).files {
		if threatCite.MatchString(name) && !testName.MatchString(name) {
			t.Errorf("%s is to be called TestSec000_WhatIsTrue, with its number", name)
		}
	}
}

func readThreats(t *testing.T) (page []threat) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(threatsPage)))
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range threatRow.FindAllStringSubmatch(string(text), -1) {
		row := threat{number: cell[1], sentence: cell[2]}
		for name := range strings.SplitSeq(cell[3], ", ") {
			row.tests = append(row.tests, strings.Trim(name, "`"))
		}
		page = append(page, row)
	}
	rows := regexp.MustCompile(`(?m)^\| *\d`).FindAllString(string(text), -1)
	if len(page) == 0 || len(page) != len(rows) {
		t.Fatalf("%s: %d of %d lines have the form | 042 | sentence | `TestSec042_Name` |", threatsPage, len(page), len(rows))
	}
	return page
}

func readThreatTests(t *testing.T) threatTests {
	t.Helper()
	tests := threatTests{files: map[string][]string{}, named: map[string][]string{}}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") || entry.Name() == "threats_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mentioned := numbers(string(text))
		for _, function := range testFunc.FindAllStringSubmatch(string(text), -1) {
			name := function[1]
			tests.files[name] = append(tests.files[name], mentioned...)
			for _, number := range numbers(testNumber.FindString(name)) {
				tests.named[number] = append(tests.named[number], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// numbers are the threats that a text mentions.
func numbers(text string) (found []string) {
	for _, cite := range threatCite.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(found, cite[1]) {
			found = append(found, cite[1])
		}
	}
	return found
}
