package ostiary_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/ostiary/ostiary"

type arrow struct {
	packages string
	may      []string
}

// The arrows between our packages, as patterns of [path.Match]; "." is the engine. The first row that matches a package
// says everything that it may import of ours. A package without a row has no place yet.
var arrows = []arrow{
	{"authz", nil},
	{"token", nil},
	{"secure", nil},
	{"store", []string{"authz"}},
	{"internal/daemon", []string{".", "*", "*/*"}},
	{"internal/sqlstore", []string{"store"}},
	{"internal/list", []string{".", "store"}},
	{"internal/openapi", []string{".", "store", "token"}},
	{"internal/dbtest", []string{"store"}},                           // for tests of backends
	{"internal/apitest", []string{".", "store", "store/*", "authz"}}, // for tests of parts
	{"internal/*", []string{"store", "token", "internal/keys"}},      // leaves, and what keeps something in a store
	{".", []string{"authz", "secure", "store", "token", "internal/address", "internal/follow", "internal/keys", "internal/limit", "internal/web"}},
	{"store/*", []string{"store", "internal/sqlstore"}},                                        // backends never see the engine
	{"method/*", []string{".", "store", "authz", "token", "internal/phc", "internal/address"}}, // and never one another
	{"mail", []string{"."}},
	{"apikey", []string{".", "store", "authz", "internal/follow"}},
	{"account", []string{".", "store", "authz", "internal/list"}},
	{"admin", []string{".", "store", "authz", "secure", "token", "internal/list"}},
	{"ui", []string{".", "store", "authz", "secure"}},
	{"server", []string{".", "account", "admin", "apikey", "authz", "internal/backup", "internal/openapi", "internal/phc", "mail", "method/*", "secure", "store", "store/*", "token", "ui"}},
	{"ostiarytest", []string{".", "account", "apikey", "mail", "method/*", "store", "store/memory"}},
	{"cmd/ostiary", []string{"internal/daemon"}},
	{"examples/*", []string{".", "authz", "mail", "method/*", "server", "store", "store/*"}}, // what anybody may import
	{"bench", []string{".", "*", "*/*"}},
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	for pkg, imports := range ourImports(t) {
		row := slices.IndexFunc(arrows, func(a arrow) bool { return match(a.packages, pkg) })
		if row < 0 {
			t.Errorf("package %s has no place in the list of arrows", pkg)
			continue
		}
		for _, to := range imports {
			if !slices.ContainsFunc(arrows[row].may, func(pattern string) bool { return match(pattern, to) }) {
				t.Errorf("package %s must not import %s", pkg, to)
			}
		}
	}
}

func match(pattern, pkg string) bool {
	ok, _ := path.Match(pattern, pkg)
	return ok
}

// ourImports maps every package of the module to those of ours that it imports, tests left out.
func ourImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	for name, file := range sources(t, parser.ImportsOnly) {
		pkg := path.Dir(name)
		if found[pkg] == nil {
			found[pkg] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if imported == modulePath {
				found[pkg]["."] = true
			} else if ours, ok := strings.CutPrefix(imported, modulePath+"/"); ok {
				found[pkg][ours] = true
			}
		}
	}
	all := map[string][]string{}
	for pkg, set := range found {
		all[pkg] = slices.Sorted(maps.Keys(set))
	}
	return all
}

// sources parses every Go file of the module that is no test.
func sources(t *testing.T, mode parser.Mode) map[string]*ast.File {
	t.Helper()
	files, set := map[string]*ast.File{}, token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := entry.Name()
			if base == "testdata" || name == "tools" || base != "." && strings.HasPrefix(base, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, name, nil, mode)
		files[filepath.ToSlash(name)] = file
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// maxNames is what a reader of the engine's documentation can hold.
const maxNames = 120

func TestTheEngineHasFewNames(t *testing.T) {
	t.Parallel()
	var names []string
	for name, file := range sources(t, parser.SkipObjectResolution) {
		if path.Dir(name) == "." {
			names = append(names, exported(file)...)
		}
	}
	slices.Sort(names)
	t.Logf("the engine exports %d names: %s", len(names), strings.Join(names, " "))
	if len(names) > maxNames {
		t.Errorf("the engine exports %d names, more than %d", len(names), maxNames)
	}
}

// exported returns the exported names of a file's declarations, methods and fields left out.
func exported(file *ast.File) []string {
	var names []string
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					add(s.Name)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						add(id)
					}
				}
			}
		}
	}
	return names
}
