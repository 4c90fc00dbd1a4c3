package ostiary_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What embedders link with the engine, beside the standard library and our own leaves. A driver, a mail client or a YAML
// parser in this list would be in every program that imports the engine.
func TestWhatTheRootLinks(t *testing.T) {
	t.Parallel()
	modules := []string{
		"github.com/go-jose/go-jose/v4",
		"github.com/ostiary/ostiary",
		"golang.org/x/crypto",
		"golang.org/x/net", // idna: addresses have one normal form (R34)
		"golang.org/x/sys",
		"golang.org/x/text",
	}
	ours := []string{"authz", "secure", "store", "token", "internal/address", "internal/follow", "internal/keys", "internal/limit", "internal/web"}
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			for _, pkg := range linked(t, system) {
				if !slices.Contains(modules, pkg.module) {
					t.Errorf("links %s of module %s", pkg.path, pkg.module)
				}
				if pkg.module == "golang.org/x/net" && pkg.path != "golang.org/x/net/idna" {
					t.Errorf("links %s: of x/net only idna", pkg.path)
				}
				leaf, own := strings.CutPrefix(pkg.path, modulePath+"/")
				if own && !slices.Contains(ours, leaf) {
					t.Errorf("links %s, which is not one of its leaves", pkg.path)
				}
			}
		})
	}
}

type linkedPackage struct{ module, path string }

// linked lists what the root package links on a system, the standard library left out.
func linked(t *testing.T, system string) []linkedPackage {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}} {{.ImportPath}}", ".")
	list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []linkedPackage
	for line := range strings.Lines(string(out)) {
		module, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if module != "" {
			packages = append(packages, linkedPackage{module, path})
		}
	}
	if len(packages) < 10 {
		t.Fatalf("go list names only %d packages", len(packages))
	}
	return packages
}

// Versions below which a module that we use, or that others bring along, has a known hole.
func TestLeastVersions(t *testing.T) {
	t.Parallel()
	least := map[string]string{
		"github.com/crewjam/saml":             "v0.4.14",
		"github.com/go-jose/go-jose/v4":       "v4.1.4",
		"github.com/golang-jwt/jwt/v4":        "v4.5.2",
		"github.com/golang-jwt/jwt/v5":        "v5.2.2",
		"github.com/jackc/pgx/v5":             "v5.9.2",
		"github.com/russellhaering/goxmldsig": "v1.6.0",
		"github.com/wneessen/go-mail":         "v0.7.1",
		"golang.org/x/crypto":                 "v0.52.0",
		"golang.org/x/oauth2":                 "v0.27.0",
	}
	required := requirements(t, "go.mod")
	for module, version := range least {
		if got, ok := required[module]; ok && slices.Compare(numbers(t, got), numbers(t, version)) < 0 {
			t.Errorf("%s %s is older than %s", module, got, version)
		}
	}
}

// modernc.org/sqlite is generated against exactly one version of modernc.org/libc; another one corrupts memory.
func TestSQLiteRunsWithItsOwnLibc(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const libc = "modernc.org/libc"
	want := requirements(t, strings.TrimSpace(string(out)))[libc]
	if diff := cmp.Diff(want, requirements(t, "go.mod")[libc]); want == "" || diff != "" {
		t.Errorf("%s (-as modernc.org/sqlite asks +ours):\n%s", libc, diff)
	}
}

// requirements reads the versions of a go.mod file.
func requirements(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	required := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:require )?(\S+\.\S+/\S+) (v\d\S*)`).FindAllStringSubmatch(string(text), -1) {
		required[m[1]] = m[2]
	}
	if len(required) == 0 {
		t.Fatalf("%s requires nothing", path)
	}
	return required
}

// numbers returns the parts of v1.2.3.
func numbers(t *testing.T, version string) []int {
	t.Helper()
	core, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	var parts []int
	for part := range strings.SplitSeq(core, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatalf("version %q: %v", version, err)
		}
		parts = append(parts, n)
	}
	return parts
}
