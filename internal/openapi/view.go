package openapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// view is the document as the page shows it.
type view struct {
	Title, Version, Server, Style, JSON string
	Groups                              []groupView
	Schemas                             []schemaView
}

type groupView struct {
	Name, ID string
	Routes   []routeView
}

type routeView struct {
	Method, Path, ID, Summary, Needs string
	Public                           bool
	Params, Body                     []fieldView
	Answers                          []answerView
}

type answerView struct {
	Status, Says string
	Type         typeView
	Fields       []fieldView
}

type fieldView struct {
	Name, In, Says string
	Required       bool
	Type           typeView
}

type schemaView struct {
	Name   string
	Fields []fieldView
}

// typeView is a type in words; Link names the component that it is about.
type typeView struct{ Text, Link string }

func newView(d *document) view {
	v := view{Title: d.Info.Title, Version: d.Info.Version, Server: d.Servers[0].URL}
	byGroup := map[string][]routeView{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			byGroup[op.Tags[0]] = append(byGroup[op.Tags[0]], viewRoute(strings.ToUpper(method), path, op))
		}
	}
	for _, t := range d.Tags {
		routes := byGroup[t.Name]
		slices.SortFunc(routes, func(a, b routeView) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
		v.Groups = append(v.Groups, groupView{t.Name, "group-" + strings.ReplaceAll(t.Name, ": ", "-"), routes})
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		v.Schemas = append(v.Schemas, schemaView{name, viewFields(d.Components.Schemas[name])})
	}
	return v
}

func viewRoute(method, path string, op *operation) routeView {
	r := routeView{
		Method: method, Path: path, ID: op.OperationID, Summary: op.Summary, Needs: strings.TrimPrefix(op.Description, "Needs: "),
		Public: len(op.Security) == 0,
	}
	for _, p := range op.Parameters {
		r.Params = append(r.Params, fieldView{Name: p.Name, In: p.In, Says: p.Description, Required: p.Required, Type: typeOf(p.Schema)})
	}
	if op.RequestBody != nil {
		r.Body = viewFields(op.RequestBody.Content["application/json"].Schema)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		a := op.Responses[status]
		if a.Ref != "" {
			continue
		}
		shown := answerView{Status: status, Says: a.Description}
		if m, ok := a.Content["application/json"]; ok {
			shown.Type, shown.Fields = typeOf(m.Schema), viewFields(m.Schema)
		}
		r.Answers = append(r.Answers, shown)
	}
	return r
}

// viewFields lists the properties of an object in their order.
func viewFields(s *jsonschema.Schema) []fieldView {
	names := s.PropertyOrder
	if len(names) != len(s.Properties) {
		names = slices.Sorted(maps.Keys(s.Properties))
	}
	var fields []fieldView
	for _, name := range names {
		p := s.Properties[name]
		fields = append(fields, fieldView{Name: name, Says: p.Description, Required: slices.Contains(s.Required, name), Type: typeOf(p)})
	}
	return fields
}

// typeOf says in words what a schema allows.
func typeOf(s *jsonschema.Schema) typeView {
	switch {
	case s.Ref != "":
		name := strings.TrimPrefix(s.Ref, refPrefix)
		return typeView{name, name}
	case s.Type == "array":
		item := typeOf(s.Items)
		return typeView{"list of " + item.Text, item.Link}
	case len(s.OneOf)+len(s.AnyOf) > 0:
		return oneOf(append(slices.Clone(s.OneOf), s.AnyOf...))
	case len(s.Enum) > 0 && len(s.Enum) <= 6:
		var values []string
		for _, v := range s.Enum {
			text, _ := v.(string)
			values = append(values, text)
		}
		return typeView{Text: strings.Join(values, " | ")}
	case len(s.Types) > 0:
		return typeView{Text: strings.Join(slices.DeleteFunc(slices.Clone(s.Types), func(t string) bool { return t == "null" }), " or ")}
	case s.Format != "":
		return typeView{Text: s.Format}
	}
	return typeView{Text: cmp.Or(s.Type, "any JSON")}
}

func oneOf(list []*jsonschema.Schema) typeView {
	var texts []string
	link := ""
	for _, s := range list {
		t := typeOf(s)
		texts, link = append(texts, t.Text), cmp.Or(link, t.Link)
	}
	return typeView{strings.Join(texts, " or "), link}
}
