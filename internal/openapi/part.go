package openapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"sync"

	"github.com/ostiary/ostiary"
)

//go:embed page.html style.css
var files embed.FS

// pageCSP lets the page load its stylesheet and nothing else.
const pageCSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Part serves the document and a page for people. Make it with [New].
type Part struct {
	version string
	engine  *ostiary.Engine
	print   func() (*printed, error)
}

// printed is everything that is served; it is made at the first request, when all routes are known.
type printed struct{ document, page, style file }

type file struct {
	kind, tag string
	body      []byte
}

// New makes the part. version is that of the program.
func New(version string) *Part { return &Part{version: version} }

// Name is "openapi".
func (p *Part) Name() string { return "openapi" }

// Routes returns the routes. They are the same for everybody, so nobody is asked who he is.
func (p *Part) Routes(e *ostiary.Engine) ([]ostiary.Route, error) {
	p.engine, p.print = e, sync.OnceValues(p.make)
	serve := func(which func(*printed) file) ostiary.Endpoint {
		return ostiary.HTTP(func(w http.ResponseWriter, r *http.Request, _ *ostiary.Call) error { return p.serve(w, r, which) })
	}
	return []ostiary.Route{
		{
			Name: "openapi.json", Pattern: "GET /api/v1/openapi.json", Access: ostiary.Public, CrossSite: true,
			Serve: serve(func(f *printed) file { return f.document }), Doc: "This document.",
		},
		{
			Name: "openapi.page", Pattern: "GET /api/docs", Access: ostiary.Public, CrossSite: true,
			Serve: serve(func(f *printed) file { return f.page }), Doc: "The same for people.",
		},
		{
			Name: "openapi.style", Pattern: "GET /api/docs/style.css", Access: ostiary.Public, CrossSite: true,
			Serve: serve(func(f *printed) file { return f.style }), Doc: "How the page looks.",
		},
	}, nil
}

func (p *Part) make() (*printed, error) {
	routes := p.engine.Routes()
	title, url := p.engine.Product()+" API", p.engine.Link("")
	text, err := Document(title, p.version, url, routes)
	if err != nil {
		return nil, fmt.Errorf("print the OpenAPI document: %w", err)
	}
	d, err := describe(title, p.version, url, routes)
	if err != nil {
		return nil, err
	}
	page, err := p.page(d)
	if err != nil {
		return nil, fmt.Errorf("print the API page: %w", err)
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	return &printed{
		document: newFile("application/json", text), page: newFile("text/html; charset=utf-8", page), style: newFile("text/css; charset=utf-8", style),
	}, nil
}

func (p *Part) page(d *document) ([]byte, error) {
	t, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, err
	}
	v := newView(d)
	v.Style, v.JSON = p.engine.Path("/api/docs/style.css"), p.engine.Path("/api/v1/openapi.json")
	var b bytes.Buffer
	err = t.Execute(&b, v)
	return b.Bytes(), err
}

func newFile(kind string, body []byte) file {
	sum := sha256.Sum256(body)
	return file{kind, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, body}
}

func (p *Part) serve(w http.ResponseWriter, r *http.Request, which func(*printed) file) error {
	all, err := p.print()
	if err != nil {
		return err
	}
	f, h := which(all), w.Header()
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", pageCSP)
	h.Set("Referrer-Policy", "no-referrer")
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", f.kind)
	_, err = w.Write(f.body)
	return err
}
