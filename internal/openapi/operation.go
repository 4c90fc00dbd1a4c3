package openapi

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/ostiary/ostiary"
)

type operation struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary,omitempty"`
	Description string                `json:"description,omitempty"`
	Tags        []string              `json:"tags"`
	Parameters  []parameter           `json:"parameters,omitempty"`
	RequestBody *requestBody          `json:"requestBody,omitempty"`
	Responses   map[string]response   `json:"responses"`
	Security    []map[string][]string `json:"security"`
}

type parameter struct {
	Name        string             `json:"name"`
	In          string             `json:"in"`
	Required    bool               `json:"required,omitempty"`
	Description string             `json:"description,omitempty"`
	Schema      *jsonschema.Schema `json:"schema"`
}

type requestBody struct {
	Required bool             `json:"required,omitempty"`
	Content  map[string]media `json:"content"`
}

type media struct {
	Schema *jsonschema.Schema `json:"schema"`
}

func describeRoute(r ostiary.Route, path string, all *schemas) (*operation, error) {
	in, out, proves := r.Serve.Types()
	op := &operation{
		OperationID: r.Name, Summary: strings.TrimSuffix(r.Doc, "."), Description: needs(r), Tags: []string{group(path)},
		Security: security(r.Access),
	}
	var err error
	if op.Parameters, op.RequestBody, err = input(in, path, all); err != nil {
		return nil, err
	}
	if op.Responses, err = success(r, out, proves, all); err != nil {
		return nil, err
	}
	addRefusals(r, op)
	return op, nil
}

// needs says in words what is checked of the caller.
func needs(r ostiary.Route) string {
	var list []string
	for _, n := range r.Need {
		list = append(list, n.String())
	}
	if r.Scope != "" {
		list = append(list, "scope "+r.Scope+" for tokens of other clients")
	}
	if len(list) == 0 {
		return ""
	}
	return "Needs: " + strings.Join(list, "; ") + "."
}

func security(a ostiary.Access) []map[string][]string {
	ways := []map[string][]string{{"session": {}}, {"access_token": {}}, {"bearer": {}}}
	switch a {
	case ostiary.Public:
		return []map[string][]string{}
	case ostiary.Optional:
		return append(ways, map[string][]string{})
	}
	return ways
}

// input reads the tags of the input struct as the decoder does.
func input(in reflect.Type, path string, all *schemas) ([]parameter, *requestBody, error) {
	c := &collector{all: all, body: &jsonschema.Schema{
		Type: "object", Properties: map[string]*jsonschema.Schema{}, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}}
	if in != nil {
		if err := c.collect(in); err != nil {
			return nil, nil, err
		}
	}
	for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
		if !slices.ContainsFunc(c.params, func(p parameter) bool { return p.In == "path" && p.Name == m[1] }) {
			c.params = append(c.params, parameter{Name: m[1], In: "path", Required: true, Schema: &jsonschema.Schema{Type: "string"}})
		}
	}
	if len(c.body.Properties) == 0 {
		return c.params, nil, nil
	}
	return c.params, &requestBody{Required: len(c.body.Required) > 0, Content: map[string]media{"application/json": {c.body}}}, nil
}

type collector struct {
	all    *schemas
	params []parameter
	body   *jsonschema.Schema
}

func (c *collector) collect(t reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		var err error
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == "":
			err = c.collect(f.Type)
		case f.IsExported():
			err = c.field(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) field(f reflect.StructField) error {
	schema, err := c.all.of(f.Type)
	if err != nil {
		return err
	}
	schema.Description = f.Tag.Get("jsonschema")
	notNull(schema)
	for _, in := range []string{"path", "query"} {
		if name := f.Tag.Get(in); name != "" {
			says := schema.Description
			schema.Description = ""
			c.params = append(c.params, parameter{Name: name, In: in, Required: in == "path", Description: says, Schema: schema})
			return nil
		}
	}
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" || name == "-" {
		return nil
	}
	c.body.Properties[name] = schema
	c.body.PropertyOrder = append(c.body.PropertyOrder, name)
	if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
		c.body.Required = append(c.body.Required, name)
	}
	return nil
}

// success describes the answers of a call that was not refused.
func success(r ostiary.Route, out reflect.Type, proves bool, all *schemas) (map[string]response, error) {
	status := r.Status
	switch {
	case out == reflect.TypeFor[ostiary.None]():
		return map[string]response{code(status, http.StatusNoContent): {Description: "Done."}}, nil
	case out == nil:
		return map[string]response{code(status, http.StatusOK): {Description: "The answer is not JSON of this API."}}, nil
	case proves || out == reflect.TypeFor[*ostiary.Outcome]():
		return signIn(status, proves, all)
	}
	schema, err := all.of(out)
	if err != nil {
		return nil, err
	}
	return map[string]response{code(status, http.StatusOK): answer("Success.", schema)}, nil
}

// signIn describes the three ways in which a call that proves who somebody is may end.
func signIn(status int, proves bool, all *schemas) (map[string]response, error) {
	done, err := all.of(reflect.TypeFor[ostiary.SignedInAnswer]())
	if err != nil {
		return nil, err
	}
	pending, err := all.of(reflect.TypeFor[ostiary.Pending]())
	if err != nil {
		return nil, err
	}
	answers := map[string]response{}
	if proves {
		answers["202"] = answer("Accepted; nobody was signed in.", &jsonschema.Schema{Type: "object"})
	}
	if status != 0 && status != http.StatusOK {
		answers[strconv.Itoa(status)] = answer("Signed in.", done)
		answers["200"] = answer("A second factor is due.", pending)
		return answers, nil
	}
	answers["200"] = answer("Signed in, or a second factor is due.", &jsonschema.Schema{OneOf: []*jsonschema.Schema{done, pending}})
	return answers, nil
}

func code(status, otherwise int) string {
	if status == 0 {
		status = otherwise
	}
	return strconv.Itoa(status)
}

func answer(says string, schema *jsonschema.Schema) response {
	return response{Description: says, Content: map[string]media{"application/json": {schema}}}
}

// addRefusals adds the errors that the pipeline may answer with.
func addRefusals(r ostiary.Route, op *operation) {
	statuses := []int{}
	if len(op.Parameters) > 0 || op.RequestBody != nil {
		statuses = append(statuses, http.StatusBadRequest)
	}
	if r.Access != ostiary.Public || r.Guess {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if op.RequestBody != nil {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "path" }) {
		statuses = append(statuses, http.StatusNotFound)
	}
	for _, s := range statuses {
		op.Responses[strconv.Itoa(s)] = response{Ref: "#/components/responses/Problem"}
	}
	op.Responses["429"] = response{Ref: "#/components/responses/RateLimited"}
	op.Responses["503"] = response{Ref: "#/components/responses/Unavailable"}
	op.Responses["default"] = response{Ref: "#/components/responses/Problem"}
}
