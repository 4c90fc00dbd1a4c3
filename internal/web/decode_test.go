package web_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/web"
)

type embedded struct {
	Delivery string `json:"delivery"`
}

type input struct {
	embedded
	Email string   `json:"email"`
	Tags  []string `json:"tags"`
	Count int      `json:"count"`
	Limit int      `query:"limit"`
	ID    string   `path:"id"`
}

func decode(t *testing.T, contentType, body string) (input, error) {
	t.Helper()
	r := httptest.NewRequest("POST", "/x?limit=3", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.SetPathValue("id", "7")
	var in input
	err := web.Decode(r, &in, 1<<10)
	return in, err
}

func TestDecode(t *testing.T) {
	t.Parallel()
	in, err := decode(t, "application/json; charset=utf-8", `{"email":"a","tags":["x","y"],"count":2,"delivery":"body"}`)
	if err != nil {
		t.Fatal(err)
	}
	if in.Email != "a" || len(in.Tags) != 2 || in.Count != 2 || in.Delivery != "body" || in.Limit != 3 || in.ID != "7" {
		t.Fatalf("got %+v", in)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	for name, c := range map[string]struct {
		kind     web.Kind
		typ      string
		body     string
		location string
	}{
		"no body":               {web.Malformed, js, "", ""},
		"cut":                   {web.Malformed, js, `{"email":"a`, ""},
		"two values":            {web.Malformed, js, `{"email":"a"}{}`, ""},
		"list":                  {web.Malformed, js, `[]`, ""},
		"null":                  {web.Malformed, js, `null`, ""},
		"wrong type":            {web.Malformed, js, `{"email":7}`, "body.email"},
		"unknown field":         {web.Unknown, js, `{"email":"a","admin":true}`, "body.admin"},
		"other letter case":     {web.Unknown, js, `{"Email":"a"}`, "body.Email"},
		"field twice":           {web.Malformed, js, `{"email":"a","email":"b"}`, "body.email"},
		"nested twice":          {web.Malformed, js, `{"tags":[{"a":1,"a":2}]}`, "body.a"},
		"too deep":              {web.Malformed, js, `{"tags":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, ""},
		"too large":             {web.TooLarge, js, `{"email":"` + strings.Repeat("a", 2000) + `"}`, ""},
		"invalid utf-8":         {web.Malformed, js, "{\"email\":\"\xff\"}", ""},
		"form":                  {web.MediaType, "application/x-www-form-urlencoded", "email=a", ""},
		"text":                  {web.MediaType, "text/plain", `{"email":"a"}`, ""},
		"no content type":       {web.MediaType, "", `{"email":"a"}`, ""},
		"another charset":       {web.MediaType, js + "; charset=utf-16", `{"email":"a"}`, ""},
		"path field in body":    {web.Unknown, js, `{"id":"8"}`, "body.id"},
		"number beyond integer": {web.Malformed, js, `{"count":1e99}`, "body.count"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(t, c.typ, c.body)
			var got *web.InputError
			if !errors.As(err, &got) || got.Kind != c.kind {
				t.Fatalf("got %#v, want kind %v", err, c.kind)
			}
			if c.location != "" && (len(got.Fields) != 1 || got.Fields[0].Location != c.location) {
				t.Fatalf("got fields %+v, want %s", got.Fields, c.location)
			}
		})
	}
}

func TestDecodeNeverEchoesValues(t *testing.T) {
	t.Parallel()
	_, err := decode(t, "application/json", `{"count":"hunter2hunter2"}`)
	var got *web.InputError
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	for _, f := range got.Fields {
		if strings.Contains(f.Message+f.Location+got.Detail, "hunter2") {
			t.Fatalf("the answer repeats the input: %+v", got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"email":"a"}`)
	f.Add(`{"tags":[[[]]],"count":1}`)
	f.Add(`{"email":"a","email":"b"}`)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var in input
		err := web.Decode(r, &in, 1<<10)
		var input *web.InputError
		if err != nil && !errors.As(err, &input) {
			t.Fatalf("got %T", err)
		}
	})
}

func TestDecodeForm(t *testing.T) {
	t.Parallel()
	var in struct {
		ID       string          `path:"id"`
		Name     *string         `json:"name"`
		Password json.RawMessage `json:"password"`
		Scopes   *[]string       `json:"scopes"`
		Until    *time.Time      `json:"until"`
	}
	form := map[string][]string{
		"id": {"7"}, "name": {""}, "password": {`a"b`}, "return_to": {"/x"}, "scopes": {"a", "b"}, "until": {"2026-11-21T10:00:00Z"},
	}
	if err := web.DecodeForm(form, &in); err != nil {
		t.Fatal(err)
	}
	if in.ID != "7" || in.Name == nil || string(in.Password) != `"a\"b"` {
		t.Fatalf("got %+v", in)
	}
	if !slices.Equal(*in.Scopes, []string{"a", "b"}) || !in.Until.Equal(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)) {
		t.Fatalf("got %v, %v", *in.Scopes, in.Until)
	}
	if err := web.DecodeForm(map[string][]string{"until": {"tomorrow"}}, &in); err == nil || err.(*web.InputError).Fields[0].Location != "body.until" {
		t.Fatalf("no time: got %v", err)
	}
	err := web.DecodeForm(map[string][]string{"password": {"\xff"}}, &in)
	if input := new(web.InputError); !errors.As(err, &input) || input.Fields[0].Location != "body.password" {
		t.Fatalf("invalid UTF-8: got %v", err)
	}
}
