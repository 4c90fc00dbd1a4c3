// Package web turns HTTP bodies into Go values and back: strictly, with limits, and with an error that says where the
// input is wrong but never repeats it. It knows nothing of routes, callers or rules.
package web

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Field is one thing that is wrong with the input.
type Field struct {
	Location string `json:"location"` // "body.email", "query.limit", "path.id"
	Message  string `json:"message"`
	Code     string `json:"code,omitempty"`
}

// InputError says what is wrong with a request's input.
type InputError struct {
	Kind   Kind
	Detail string
	Fields []Field
}

func (e *InputError) Error() string { return e.Detail }

// Kind sorts input errors by the answer they deserve.
type Kind int

// The kinds of input errors.
const (
	Malformed Kind = iota // 400
	Unknown               // 400, an unknown field
	TooLarge              // 413
	MediaType             // 415
)

// MaxDepth bounds the nesting of JSON.
const MaxDepth = 32

// Decode fills in, a pointer to a struct, from the request: fields tagged `json` from the JSON body, `path` from the
// pattern's wildcards, `query` from the query string. Body names are compared exactly; unknown and repeated names, trailing
// data and invalid UTF-8 are refused. A struct whose json
// fields are all marked omitempty takes no body, too.
func Decode(r *http.Request, in any, maxBody int64) error {
	fields := shape(reflect.TypeOf(in).Elem())
	if err := decodeOutside(r, in, fields); err != nil {
		return err
	}
	body, err := readBody(r, maxBody)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		if fields.needsBody {
			return &InputError{Detail: "The request needs a JSON body."}
		}
		return nil
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return &InputError{Kind: MediaType, Detail: "The Content-Type must be application/json."}
	}
	return decodeJSON(body, in, fields)
}

func readBody(r *http.Request, maxBody int64) ([]byte, error) {
	if r.Body == nil || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, &InputError{Kind: TooLarge, Detail: fmt.Sprintf("The body is larger than %d bytes.", maxBody)}
	}
	if err != nil {
		return nil, &InputError{Detail: "The body could not be read to its end."}
	}
	if !utf8.Valid(body) {
		return nil, &InputError{Detail: "The body is not valid UTF-8."}
	}
	return body, nil
}

func isJSON(contentType string) bool {
	kind, params, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return false
	}
	params = strings.ToLower(strings.ReplaceAll(params, " ", ""))
	return params == "" || params == "charset=utf-8" || params == `charset="utf-8"`
}

func decodeJSON(body []byte, in any, fields structShape) error {
	if err := checkMembers(json.NewDecoder(bytes.NewReader(body))); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return &InputError{Detail: "The body must be a JSON object."}
	}
	v := reflect.ValueOf(in).Elem()
	var wrong []Field
	for name, raw := range members {
		index, ok := fields.json[name]
		if !ok {
			return &InputError{
				Kind: Unknown, Detail: "The body has a field that is not known here.",
				Fields: []Field{{Location: "body." + clip(name), Message: "unknown field"}},
			}
		}
		if err := unmarshalStrict(raw, v.FieldByIndex(index).Addr().Interface()); err != nil {
			wrong = append(wrong, Field{Location: "body." + name, Message: err.Error()})
		}
	}
	if wrong != nil {
		return &InputError{Detail: "The body has a field of the wrong type.", Fields: wrong}
	}
	return nil
}

// unmarshalStrict answers with the type that was wanted, never with the value that came.
func unmarshalStrict(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return fmt.Errorf("must be a %s", typeName(wrong.Type))
	}
	if err != nil && strings.HasPrefix(err.Error(), "json: unknown field") {
		return errors.New("has an unknown field")
	}
	if err != nil {
		return fmt.Errorf("must be a %s", typeName(reflect.TypeOf(into).Elem()))
	}
	return nil
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint64:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.Pointer:
		return typeName(t.Elem())
	default:
		return "valid " + strings.ToLower(t.Name())
	}
}

// checkMembers walks the whole text once: one value, no repeated member names, bounded depth.
func checkMembers(dec *json.Decoder) error {
	dec.UseNumber()
	if err := checkValue(dec, 0); err != nil {
		if input := new(InputError); errors.As(err, &input) {
			return input
		}
		return &InputError{Detail: fmt.Sprintf("The body is not valid JSON, at byte %d.", dec.InputOffset())}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return &InputError{Detail: "The body has something after its JSON object."}
	}
	return nil
}

func checkValue(dec *json.Decoder, depth int) error {
	if depth > MaxDepth {
		return &InputError{Detail: "The body is nested too deeply."}
	}
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	switch tok {
	case json.Delim('{'):
		return checkObject(dec, depth)
	case json.Delim('['):
		for dec.More() {
			if err := checkValue(dec, depth+1); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	}
	return err
}

func checkObject(dec *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := tok.(string)
		if seen[name] {
			return &InputError{Detail: "The body names a field twice.", Fields: []Field{{Location: "body." + clip(name), Message: "given twice"}}}
		}
		seen[name] = true
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func clip(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

func decodeOutside(r *http.Request, in any, fields structShape) error {
	v := reflect.ValueOf(in).Elem()
	for name, index := range fields.path {
		if err := setText(v.FieldByIndex(index), r.PathValue(name)); err != nil {
			return wrongField("path."+name, err)
		}
	}
	if len(fields.query) == 0 {
		return nil
	}
	query := r.URL.Query()
	for name := range query {
		if _, ok := fields.query[name]; !ok {
			return &InputError{Kind: Unknown, Detail: "The query has a parameter that is not known here.", Fields: []Field{{Location: "query." + clip(name), Message: "unknown parameter"}}}
		}
	}
	for name, index := range fields.query {
		values := query[name]
		if len(values) > 1 {
			return wrongField("query."+name, errors.New("given twice"))
		}
		if len(values) == 1 {
			if err := setText(v.FieldByIndex(index), values[0]); err != nil {
				return wrongField("query."+name, err)
			}
		}
	}
	return nil
}

func wrongField(location string, err error) error {
	return &InputError{Detail: "A parameter has the wrong form.", Fields: []Field{{Location: location, Message: err.Error()}}}
}

func setText(v reflect.Value, s string) error {
	if !utf8.ValidString(s) {
		return errors.New("must be valid UTF-8")
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && v.Kind() == reflect.Struct {
		if err := text.UnmarshalText([]byte(s)); err != nil {
			return fmt.Errorf("must be a %s", typeName(v.Type()))
		}
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return errors.New("must be a whole number")
		}
		v.SetInt(n)
	case reflect.Bool:
		v.SetBool(s == "true" || s == "on" || s == "1")
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return setText(v.Elem(), s)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.ValueOf(s).Convert(v.Type().Elem())))
	default:
		return errors.New("cannot be given here")
	}
	return nil
}

// DecodeForm fills the same struct from a form: its json and path names are the field names, and names that are not known
// (buttons, return_to) are left to the page. A member that is raw JSON becomes a JSON string.
func DecodeForm(form map[string][]string, in any) error {
	v := reflect.ValueOf(in).Elem()
	fields := shape(v.Type())
	for name, index := range fields.path {
		for _, value := range form[name] {
			if err := setText(v.FieldByIndex(index), value); err != nil {
				return wrongField("path."+name, err)
			}
		}
	}
	for name, index := range fields.json {
		for _, value := range form[name] {
			if err := setFormText(v.FieldByIndex(index), value); err != nil {
				return wrongField("body."+name, err)
			}
		}
	}
	return nil
}

func setFormText(v reflect.Value, s string) error {
	raw, ok := v.Addr().Interface().(*json.RawMessage)
	if !ok {
		return setText(v, s)
	}
	if !utf8.ValidString(s) {
		return errors.New("must be valid UTF-8")
	}
	text, err := json.Marshal(s)
	*raw = text
	return err
}
