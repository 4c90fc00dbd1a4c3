// Package openapi prints the OpenAPI 3.1 document of an engine's routes, and serves it with a page for people.
//
// It owns how routes are described, and nothing of what they do: everything is read from [ostiary.Route] and the Go types of
// the endpoints, so that the document cannot say anything else than the code. The same routes always print the same bytes.
package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/ostiary/ostiary"
)

// Document prints the OpenAPI 3.1 document. server is the public base URL; the names of cookies follow its scheme.
func Document(title, version, server string, routes []ostiary.Route) ([]byte, error) {
	d, err := describe(title, version, server, routes)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(d, "", "  ")
}

type object = map[string]any

type document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       info                             `json:"info"`
	Servers    []server                         `json:"servers"`
	Tags       []tag                            `json:"tags"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components components                       `json:"components"`
}

type info struct {
	Title   string `json:"title"`
	Version string `json:"version"`
}

type server struct {
	URL string `json:"url"`
}

type tag struct {
	Name string `json:"name"`
}

type components struct {
	Schemas         map[string]*jsonschema.Schema `json:"schemas"`
	Responses       map[string]response           `json:"responses"`
	SecuritySchemes map[string]object             `json:"securitySchemes"`
}

func describe(title, version, url string, routes []ostiary.Route) (*document, error) {
	all := newSchemas()
	d := &document{
		OpenAPI: "3.1.0", Info: info{title, version}, Servers: []server{{url}}, Paths: map[string]map[string]*operation{},
		Components: components{Schemas: all.defs, Responses: sharedResponses(), SecuritySchemes: credentials(strings.HasPrefix(url, "https://"))},
	}
	routes = slices.Clone(routes)
	slices.SortFunc(routes, func(a, b ostiary.Route) int { return cmp.Compare(a.Name, b.Name) })
	tags := map[string]bool{}
	for _, r := range routes {
		if err := d.add(r, all); err != nil {
			return nil, fmt.Errorf("describe route %s: %w", r.Name, err)
		}
		_, path, _ := place(r.Pattern)
		tags[group(path)] = true
	}
	for name := range tags {
		d.Tags = append(d.Tags, tag{name})
	}
	slices.SortFunc(d.Tags, func(a, b tag) int { return cmp.Compare(a.Name, b.Name) })
	return d, nil
}

func (d *document) add(r ostiary.Route, all *schemas) error {
	method, path, err := place(r.Pattern)
	if err != nil {
		return err
	}
	op, err := describeRoute(r, path, all)
	if err != nil {
		return err
	}
	if d.Paths[path] == nil {
		d.Paths[path] = map[string]*operation{}
	}
	if d.Paths[path][method] != nil {
		return fmt.Errorf("%s %s is described twice", method, path)
	}
	d.Paths[path][method] = op
	return nil
}

// place splits a pattern of [http.ServeMux] into OpenAPI's method and path template.
func place(pattern string) (method, path string, err error) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok || method == "" {
		return "", "", fmt.Errorf("pattern %q has no method", pattern)
	}
	path = strings.NewReplacer("{$}", "", "...}", "}").Replace(strings.TrimSpace(path))
	return strings.ToLower(method), path, nil
}

// group is the heading under which a path stands.
func group(path string) string {
	rest, api := strings.CutPrefix(path, "/api/v1/")
	parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	switch {
	case api && parts[0] == "admin" && len(parts) > 1:
		return "admin: " + parts[1]
	case api:
		return parts[0]
	case parts[0] == "oauth" || parts[0] == ".well-known":
		return "oauth"
	}
	return "pages"
}

// credentials are the ways in which a caller says who he is. The names of cookies are those of the engine (R6).
func credentials(secure bool) map[string]object {
	prefix := ""
	if secure {
		prefix = "__Host-"
	}
	cookie := func(name, says string) object {
		return object{"type": "apiKey", "in": "cookie", "name": prefix + name, "description": says}
	}
	return map[string]object{
		"session":      cookie("session", "The session cookie. Requests that change something must come from the same origin."),
		"access_token": cookie("access_token", "The access token as a cookie (delivery: cookies)."),
		"bearer":       {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A first-party access token."},
	}
}
