package web

import (
	"reflect"
	"strings"
	"sync"
)

// structShape says which names a struct takes, and from where.
type structShape struct {
	json, path, query map[string][]int
	needsBody         bool // a json field is not marked omitempty
}

var shapes sync.Map // reflect.Type → structShape, a pure function of the type

func shape(t reflect.Type) structShape {
	if s, ok := shapes.Load(t); ok {
		return s.(structShape)
	}
	s := structShape{json: map[string][]int{}, path: map[string][]int{}, query: map[string][]int{}}
	collect(t, nil, &s)
	shapes.Store(t, s)
	return s
}

func collect(t reflect.Type, prefix []int, s *structShape) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int(nil), prefix...), i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == "" {
			collect(f.Type, index, s)
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name := f.Tag.Get("path"); name != "" {
			s.path[name] = index
		} else if name := f.Tag.Get("query"); name != "" {
			s.query[name] = index
		} else if name, options, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			s.json[name] = index
			s.needsBody = s.needsBody || options != "omitempty"
		}
	}
}
