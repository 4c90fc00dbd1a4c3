package ui

import (
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"time"
)

// pages are the parsed templates: layout.html and form.html together with one page each.
type pages map[string]*template.Template

const (
	layoutFile = "layout.html"
	formFile   = "form.html"
)

func (p *Part) parsePages(files overlay) (pages, error) {
	names, err := fs.Glob(files.base, "*.html")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	shared := template.New(layoutFile).Funcs(template.FuncMap{
		"path": func(path string) string { return p.engine.Path(path) },
		"has":  func(route string) bool { return p.engine.Has(route) },
		"file": func(name string) string { return p.engine.Path("/assets/" + p.assets.hash + "/" + name) },
		"utc":  func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		"iso":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	})
	for _, name := range []string{layoutFile, formFile} {
		if err := parseInto(shared, files, name); err != nil {
			return nil, err
		}
	}
	all := pages{}
	for _, name := range names {
		if name == layoutFile || name == formFile {
			continue
		}
		page, err := shared.Clone()
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		if err := parseInto(page, files, name); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(name, ".html")] = page
	}
	return all, nil
}

func parseInto(t *template.Template, files overlay, name string) error {
	text, err := files.read(name)
	if err != nil {
		return fmt.Errorf("read template %s: %w", name, err)
	}
	if _, err := t.Parse(string(text)); err != nil {
		return fmt.Errorf("parse template %s: %w", name, err)
	}
	return nil
}
