package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

const refPrefix = "#/components/schemas/"

// schemas turns Go types into JSON Schema (draft 2020-12); named structs become components.
type schemas struct {
	defs  map[string]*jsonschema.Schema
	known map[reflect.Type]*jsonschema.Schema
}

func newSchemas() *schemas {
	return &schemas{
		defs: map[string]*jsonschema.Schema{"Problem": problem()},
		known: map[reflect.Type]*jsonschema.Schema{
			reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
			reflect.TypeFor[json.RawMessage](): {},
			reflect.TypeFor[store.Delivery]():  enum(store.DeliverSession, store.DeliverSplit, store.DeliverCookies, store.DeliverBody),
			reflect.TypeFor[store.Status]():    enum(store.Active, store.Disabled),
			reflect.TypeFor[ostiary.SignUp]():  enum(ostiary.SignUpOpen, ostiary.SignUpInvite, ostiary.SignUpClosed),
			reflect.TypeFor[token.Alg]():       enum(token.ES256, token.EdDSA, token.RS256, token.PS256, token.HS256),
		},
	}
}

func enum[T ~string](values ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// of is the schema of a type; the named structs in it are defined on the way.
func (s *schemas) of(t reflect.Type) (*jsonschema.Schema, error) {
	if err := s.define(t); err != nil {
		return nil, err
	}
	return s.infer(t, s.known)
}

func (s *schemas) infer(t reflect.Type, known map[reflect.Type]*jsonschema.Schema) (*jsonschema.Schema, error) {
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: known})
	if err != nil {
		return nil, err
	}
	plain(schema)
	return schema, nil
}

// define makes components of the named structs that t consists of, the innermost first.
func (s *schemas) define(t reflect.Type) error {
	if s.known[t] != nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return s.define(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	known := maps.Clone(s.known)
	if err := s.defineFields(t, known); err != nil {
		return err
	}
	name := component(t)
	if name == "" {
		return nil
	}
	maps.Copy(known, s.known)
	forgetEmbedded(t, known)
	schema, err := s.infer(t, known)
	if err != nil {
		return err
	}
	if s.defs[name] != nil {
		return fmt.Errorf("two types are called %s", name)
	}
	s.defs[name] = schema
	s.known[t] = &jsonschema.Schema{Ref: refPrefix + name}
	return nil
}

func (s *schemas) defineFields(t reflect.Type, known map[reflect.Type]*jsonschema.Schema) error {
	for i := range t.NumField() {
		f := t.Field(i)
		var err error
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			err = s.defineFields(f.Type, known)
		case f.IsExported():
			err = s.define(f.Type)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetEmbedded keeps the fields of embedded structs where they are: in the struct that embeds them.
func forgetEmbedded(t reflect.Type, known map[reflect.Type]*jsonschema.Schema) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Type.Kind() == reflect.Struct {
			delete(known, f.Type)
			forgetEmbedded(f.Type, known)
		}
	}
}

// component is the name of a struct among the components: its own, and that of its package unless it is the engine's.
// Pages of a list and structs without a name stand where they are used.
func component(t reflect.Type) string {
	name := t.Name()
	if name == "" || strings.Contains(name, "[") {
		return ""
	}
	name = strings.ToUpper(name[:1]) + name[1:]
	pkg := path.Base(t.PkgPath())
	if t.PkgPath() == reflect.TypeFor[ostiary.User]().PkgPath() || strings.EqualFold(pkg, name) {
		return name
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}

// plain says what is sent: lists and never null, and answers that may grow. Requests are closed by their own schema.
func plain(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if slices.Equal(s.Types, []string{"null", "array"}) {
		s.Type, s.Types = "array", nil
	}
	if s.Ref != "" && s.Types != nil {
		*s = jsonschema.Schema{Description: s.Description, AnyOf: []*jsonschema.Schema{{Ref: s.Ref}, {Type: "null"}}}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Not != nil {
		s.AdditionalProperties = nil
	}
	plain(s.Items)
	plain(s.AdditionalProperties)
	for name, p := range s.Properties {
		plain(p)
		if !slices.Contains(s.Required, name) {
			notNull(p)
		}
	}
}

// notNull is for what may be left out: a pointer there never means null.
func notNull(s *jsonschema.Schema) {
	if len(s.Types) == 2 && s.Types[0] == "null" {
		s.Type, s.Types = s.Types[1], nil
	}
	if len(s.AnyOf) == 2 && s.AnyOf[1].Type == "null" {
		*s = jsonschema.Schema{Description: s.Description, Ref: s.AnyOf[0].Ref}
	}
}
