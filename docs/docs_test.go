// Package docs_test holds the documents to the code: links lead somewhere, and what can be listed is listed completely.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/server"
)

const root = ".."

// files returns the paths of all files of the project with one of the extensions.
func files(t *testing.T, extension string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "bin" || name == "testdata") {
			return filepath.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(path, extension) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range files(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: link to %s: %v", page, m[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, path)), anchor) {
				t.Errorf("%s: %s has no heading %q", page, path, anchor)
			}
		}
	}
}

// anchors are the names that headings get when a page is shown.
func anchors(page string) []string {
	var names []string
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for line := range strings.Lines(page) {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			name := drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			names = append(names, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return names
}

func TestEveryPageIsLinked(t *testing.T) {
	t.Parallel()
	all := map[string]string{}
	for _, page := range files(t, ".md") {
		all[page] = read(t, page)
	}
	for page := range all {
		if filepath.Dir(page) == root {
			continue
		}
		found := false
		for other, text := range all {
			to, err := filepath.Rel(filepath.Dir(other), page)
			found = found || err == nil && other != page && strings.Contains(text, "]("+filepath.ToSlash(to))
		}
		if !found {
			t.Errorf("no page links to %s", page)
		}
	}
}

func TestErrorCodes(t *testing.T) {
	t.Parallel()
	var inCode, inPage []string
	for _, path := range files(t, ".go") {
		if !strings.HasSuffix(path, "_test.go") {
			inCode = append(inCode, codes(t, path)...)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (\\d+) ").FindAllStringSubmatch(read(t, "errors.md"), -1) {
		inPage = append(inPage, m[1])
	}
	compare(t, "error code", inCode, inPage, "errors.md")
	if !slices.IsSorted(inPage) {
		t.Error("errors.md is not in alphabetical order")
	}
}

// codes finds the second argument of every call of Fail, or ostiary.Fail, in a file.
func codes(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 3 {
			return true
		}
		if f := types.ExprString(call.Fun); f != "ostiary.Fail" && (f != "Fail" || file.Name.Name != "ostiary") {
			return true
		}
		lit, ok := call.Args[1].(*ast.BasicLit)
		if !ok {
			t.Errorf("%s: a code that is not written out cannot be documented", path)
			return true
		}
		code, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, code)
		return true
	})
	return found
}

func TestFlags(t *testing.T) {
	t.Parallel()
	var inCode, inPage []string
	for field := range reflect.TypeFor[server.Config]().Fields() {
		if name := field.Tag.Get("name"); name != "" {
			inCode = append(inCode, name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` ").FindAllStringSubmatch(read(t, "self-host.md"), -1) {
		inPage = append(inPage, m[1])
	}
	compare(t, "flag", inCode, inPage, "self-host.md")
}

// The program in the README is the one that compiles.
func TestReadmeExample(t *testing.T) {
	t.Parallel()
	source := read(t, "example_test.go")
	_, body, _ := strings.Cut(source, "func Example_embed() {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	var dedented []string
	for line := range strings.SplitSeq(body, "\n") {
		dedented = append(dedented, strings.TrimPrefix(line, "\t"))
	}
	if len(dedented) < 5 || !strings.Contains(read(t, filepath.Join(root, "README.md")), strings.Join(dedented, "\n")) {
		t.Error("README.md does not hold the body of Example_embed")
	}
}

// compare reports what is only in the code and what is only on the page.
func compare(t *testing.T, what string, inCode, inPage []string, page string) {
	t.Helper()
	if len(inCode) == 0 {
		t.Fatalf("no %s found in the code", what)
	}
	slices.Sort(inCode)
	for _, name := range slices.Compact(inCode) {
		if !slices.Contains(inPage, name) {
			t.Errorf("%s %s is not in %s", what, name, page)
		}
	}
	for _, name := range inPage {
		if !slices.Contains(inCode, name) {
			t.Errorf("%s has %s %s, which is not in the code", page, what, name)
		}
	}
}

// Every rule is there, in order; the tests that are named exist; and a rule that has tests named after it names one.
func TestSecurityModel(t *testing.T) {
	t.Parallel()
	page := read(t, "security-model.md")
	var inOrder []string
	for _, m := range regexp.MustCompile(`(?m)^\*\*R(\d+) `).FindAllStringSubmatch(page, -1) {
		inOrder = append(inOrder, m[1])
	}
	for i := range 43 {
		if i >= len(inOrder) || inOrder[i] != strconv.Itoa(i+1) {
			t.Fatalf("the rules are %v: R%d is missing or out of order", inOrder, i+1)
		}
	}
	var tests []string
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, path := range files(t, "_test.go") {
		for _, m := range declared.FindAllStringSubmatch(read(t, path), -1) {
			tests = append(tests, m[1])
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(page, -1) {
		if !slices.Contains(tests, m[1]) {
			t.Errorf("security-model.md names %s, which does not exist", m[1])
		}
		rule, _, _ := strings.Cut(m[1], "_")
		named[rule] = true
	}
	for _, name := range tests {
		if rule := regexp.MustCompile(`^TestR\d+_`).FindString(name); rule != "" && !named[strings.TrimSuffix(rule, "_")] {
			t.Errorf("security-model.md names no test of its rule, as there is %s", name)
		}
	}
}
