package openapi_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/internal/apitest"
	"github.com/ostiary/ostiary/internal/openapi"
	"github.com/ostiary/ostiary/method/password"
)

// full is an engine with every part of this API.
func full(t *testing.T) *apitest.World {
	t.Helper()
	method, err := password.New(password.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return apitest.New(t, func(c *ostiary.Config) {
		c.InsecureNoRateLimits = true
		c.Methods = append(c.Methods, method)
	}, account.New(), admin.New(admin.Config{}), openapi.New("1.2.3"))
}

// spec is the part of the document that the tests look at.
type spec struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Parameters  []struct {
			Name, In string
			Required bool
		}
		RequestBody *struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
		Responses map[string]struct {
			Ref     string `json:"$ref"`
			Content map[string]struct{ Schema json.RawMessage }
		}
	}
	Components struct {
		Schemas   map[string]json.RawMessage
		Responses map[string]struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
	}
}

func read(t *testing.T, text []byte) (s spec) {
	t.Helper()
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func printed(t *testing.T, w *apitest.World) ([]byte, spec) {
	t.Helper()
	text, err := openapi.Document("Test", "1", w.Auth.Issuer(), w.Auth.Routes())
	if err != nil {
		t.Fatal(err)
	}
	return text, read(t, text)
}

func TestEveryRouteIsDescribedOnce(t *testing.T) {
	t.Parallel()
	w := full(t)
	_, s := printed(t, w)
	var described, served []string
	for path, methods := range s.Paths {
		for method, op := range methods {
			described = append(described, op.OperationID)
			if op.Responses["429"].Ref == "" || op.Responses["503"].Ref == "" || op.Responses["default"].Ref == "" {
				t.Errorf("%s %s does not say how it refuses", method, path)
			}
			for _, p := range op.Parameters {
				if p.In == "path" && (!p.Required || !strings.Contains(path, "{"+p.Name+"}")) {
					t.Errorf("%s %s: parameter %s", method, path, p.Name)
				}
			}
		}
	}
	for _, r := range w.Auth.Routes() {
		served = append(served, r.Name)
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described %v\nserved %v", described, served)
	}
	if s.OpenAPI != "3.1.0" {
		t.Errorf("openapi %q", s.OpenAPI)
	}
}

func TestTheSameRoutesPrintTheSameBytes(t *testing.T) {
	t.Parallel()
	w := full(t)
	first, _ := printed(t, w)
	routes := w.Auth.Routes()
	slices.Reverse(routes)
	second, err := openapi.Document("Test", "1", w.Auth.Issuer(), routes)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the document depends on the order of the routes")
	}
	if bytes.Contains(first, []byte(`"null",`+"\n")) && bytes.Contains(first, []byte(`"array"`+"\n")) {
		t.Error("a list may be null")
	}
}

func TestEveryReferenceResolves(t *testing.T) {
	t.Parallel()
	text, _ := printed(t, full(t))
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	refs := 0
	walk(root, func(ref string) {
		refs++
		at := root
		for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			m, _ := at.(map[string]any)
			at = m[step]
		}
		if at == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	})
	if refs < 50 {
		t.Errorf("only %d references", refs)
	}
}

func walk(v any, found func(ref string)) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			found(ref)
		}
		for _, child := range v {
			walk(child, found)
		}
	case []any:
		for _, child := range v {
			walk(child, found)
		}
	}
}

// resolve makes a validator of a schema of the document.
func resolve(t *testing.T, s spec, schema json.RawMessage) *jsonschema.Resolved {
	t.Helper()
	all, err := json.Marshal(map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": s.Components.Schemas, "allOf": []any{schema}})
	if err != nil {
		t.Fatal(err)
	}
	all = bytes.ReplaceAll(all, []byte("#/components/schemas/"), []byte("#/$defs/"))
	var parsed jsonschema.Schema
	if err := json.Unmarshal(all, &parsed); err != nil {
		t.Fatal(err)
	}
	r, err := parsed.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEverySchemaIsValid(t *testing.T) {
	t.Parallel()
	_, s := printed(t, full(t))
	n := 0
	for _, methods := range s.Paths {
		for _, op := range methods {
			if op.RequestBody != nil {
				resolve(t, s, op.RequestBody.Content["application/json"].Schema)
				n++
			}
			for _, a := range op.Responses {
				for _, m := range a.Content {
					resolve(t, s, m.Schema)
					n++
				}
			}
		}
	}
	for _, c := range s.Components.Schemas {
		resolve(t, s, c)
	}
	if n < 25 {
		t.Errorf("only %d schemas", n)
	}
}

// What the engine really answers is what the document says.
func TestAnswersAreAsPrinted(t *testing.T) {
	t.Parallel()
	w := full(t)
	_, s := printed(t, w)
	root := w.Person("root@example.com", ostiary.RoleAdmin)
	none := w.Client()
	user := "/api/v1/admin/users/" + root.ID
	for _, x := range []struct {
		c                  *apitest.Client
		method, path, call string
		body               any
	}{
		{none, "POST", "/api/v1/knock", "", map[string]any{"email": "x@example.com", "delivery": "body"}},
		{none, "POST", "/api/v1/register", "", map[string]any{"email": "y@example.com", "password": "seven brass lanterns"}},
		{none, "POST", "/api/v1/register", "", map[string]any{"email": "z@example.com", "password": "x"}},
		{none, "POST", "/api/v1/login", "", map[string]any{"email": "y@example.com", "password": "seven brass lanterns", "delivery": "split"}},
		{none, "POST", "/api/v1/login", "", map[string]any{"email": "y@example.com", "password": "wrong"}},
		{none, "POST", "/api/v1/password/forgot", "", map[string]any{"email": "y@example.com"}},
		{none, "POST", "/api/v1/refresh", "", map[string]any{"refresh_token": "x"}},
		{none, "POST", "/api/v1/knock", "", map[string]any{"delivery": 7}},
		{root, "GET", "/api/v1/me", "", nil},
		{root, "PATCH", "/api/v1/me", "", map[string]any{"name": "Root", "picture": nil}},
		{root, "PATCH", "/api/v1/me", "", map[string]any{"roles": "x"}},
		{root, "GET", "/api/v1/me/export", "", nil},
		{root, "GET", "/api/v1/sessions", "", nil},
		{root, "GET", "/api/v1/sessions", "?limit=x", nil},
		{root, "GET", "/api/v1/events", "?limit=1", nil},
		{root, "GET", "/api/v1/authorize-check", "?permission=a:b", nil},
		{root, "GET", "/api/v1/admin/users", "", nil},
		{root, "POST", "/api/v1/admin/users", "", map[string]any{"email": "new@example.com"}},
		{root, "GET", "/api/v1/admin/users/{id}", user, nil},
		{root, "PATCH", "/api/v1/admin/users/{id}", user, map[string]any{"name": "R"}},
		{root, "PATCH", "/api/v1/admin/users/{id}", user, map[string]any{"status": "disabled"}},
		{root, "POST", "/api/v1/admin/users/{id}/unlock", user + "/unlock", nil},
		{root, "DELETE", "/api/v1/admin/users/{id}", "/api/v1/admin/users/x", nil},
		{root, "GET", "/api/v1/admin/sessions", "", nil},
		{root, "PUT", "/api/v1/admin/roles/{name}", "/api/v1/admin/roles/r", map[string]any{"permissions": []string{"a:b"}}},
		{root, "GET", "/api/v1/admin/roles/{name}", "/api/v1/admin/roles/r", nil},
		{root, "GET", "/api/v1/admin/roles", "", nil},
		{root, "GET", "/api/v1/admin/permissions", "", nil},
		{root, "GET", "/api/v1/admin/keys", "", nil},
		{root, "POST", "/api/v1/admin/keys/rotate", "", nil},
		{root, "GET", "/api/v1/admin/audit", "", nil},
		{root, "GET", "/api/v1/admin/settings", "", nil},
		{root, "DELETE", "/api/v1/admin/roles/{name}", "/api/v1/admin/roles/r", nil},
	} {
		url := x.path + x.call
		if strings.HasPrefix(x.call, "/") {
			url = x.call
		}
		checkAnswer(t, s, x.path, x.c.Do(x.method, url, x.body))
	}
}

func checkAnswer(t *testing.T, s spec, path string, r apitest.Reply) {
	t.Helper()
	op, ok := s.Paths[path][strings.ToLower(r.Request.Method)]
	if !ok {
		t.Fatalf("%s is not described", path)
	}
	status := strconv.Itoa(r.StatusCode)
	if _, ok := op.Responses[status]; !ok {
		status = "default"
	}
	content := op.Responses[status].Content
	if ref := op.Responses[status].Ref; ref != "" {
		content = s.Components.Responses[strings.TrimPrefix(ref, "#/components/responses/")].Content
	}
	if r.StatusCode == 204 {
		if len(content) != 0 || r.Raw != "" {
			t.Errorf("%s %s: 204 has a body", r.Request.Method, path)
		}
		return
	}
	m, ok := content[r.Header.Get("Content-Type")]
	if !ok {
		t.Fatalf("%s %s: %d as %s is not described", r.Request.Method, path, r.StatusCode, r.Header.Get("Content-Type"))
	}
	var value any
	if err := json.Unmarshal([]byte(r.Raw), &value); err != nil {
		t.Fatal(err)
	}
	if err := resolve(t, s, m.Schema).Validate(value); err != nil {
		t.Errorf("%s %s: %d: %v\n%s", r.Request.Method, path, r.StatusCode, err, r.Raw)
	}
}

// Every code that the engine, a method or a part may answer with is in the document.
func TestEveryCodeIsPrinted(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "examples") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if c := codeOf(n); c != "" && !slices.Contains(openapi.Codes(), c) {
				t.Errorf("%s: code %q is not in the document", path, c)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(openapi.Codes()) {
		t.Error("the codes are not sorted")
	}
}

// codeOf is the second argument of a call of Fail, if it is one.
func codeOf(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 3 {
		return ""
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	lit, ok := call.Args[1].(*ast.BasicLit)
	if name != "Fail" || !ok || lit.Kind != token.STRING {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value)
	return text
}

func TestPart(t *testing.T) {
	t.Parallel()
	w := full(t)
	c := w.Client()
	doc := c.Want("GET", "/api/v1/openapi.json", nil, 200, "")
	if doc.Header.Get("Content-Type") != "application/json" || doc.Body["openapi"] != "3.1.0" {
		t.Errorf("got %s", doc.Raw[:100])
	}
	page := c.Want("GET", "/api/docs", nil, 200, "")
	for _, want := range []string{"<!doctype html>", "Ostiary API", "1.2.3", "/api/v1/admin/users/{id}", `href="/api/docs/style.css"`, `id="schema-User"`} {
		if !strings.Contains(page.Raw, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") {
		t.Errorf("CSP %q", csp)
	}
	for _, bad := range []string{"<script", "style=", "onclick", "ZgotmplZ", "http://cdn", "https://"} {
		if strings.Contains(page.Raw, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if css := c.Want("GET", "/api/docs/style.css", nil, 200, ""); !strings.HasPrefix(css.Header.Get("Content-Type"), "text/css") {
		t.Errorf("got %s", css.Header.Get("Content-Type"))
	}
	c.Header.Set("If-None-Match", page.Header.Get("ETag"))
	c.Want("GET", "/api/docs", nil, 304, "")
}
