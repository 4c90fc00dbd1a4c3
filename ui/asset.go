package ui

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/secure"
)

// svgCSP is for an image that somebody opens as a document: it may style itself and do nothing else.
const svgCSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

// overlay is base with some files replaced by those of the same name in over, which may be nil.
type overlay struct{ over, base fs.FS }

func (o overlay) read(name string) ([]byte, error) {
	if o.over == nil {
		return fs.ReadFile(o.base, name)
	}
	b, err := fs.ReadFile(o.over, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ReadFile(o.base, name)
	}
	return b, err
}

// assets are the static files, under an address that changes with any of them: so they can be kept for ever.
type assets struct {
	hash  string
	files map[string][]byte
}

func readAssets(files overlay, accent colour, logo []byte) (*assets, error) {
	names, err := fs.Glob(files.base, "assets/*")
	if err != nil {
		return nil, err
	}
	look := newTheme(accent)
	a := &assets{files: map[string][]byte{"theme.css": look.css()}}
	for _, name := range names {
		if a.files[path.Base(name)], err = files.read(name); err != nil {
			return nil, err
		}
	}
	if logo == nil {
		logo = look.paint(a.files["logo.svg"])
	}
	a.files["logo.svg"] = logo
	a.hash = a.sum()
	return a, nil
}

func (a *assets) sum() string {
	names := make([]string, 0, len(a.files))
	for name := range a.files {
		names = append(names, name)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		h.Write([]byte(name + "\x00" + strconv.Itoa(len(a.files[name])) + "\x00"))
		h.Write(a.files[name])
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// asset serves a static file. A page of another release, whose hash is not ours, gets our file too, but may not keep it.
func (p *Part) asset(v *visit) error {
	name := v.r.PathValue("file")
	body, ok := p.assets.files[name]
	if !ok {
		return ostiary.Fail(http.StatusNotFound, "not_found", "There is nothing here.")
	}
	h := v.w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-cache")
	if v.r.PathValue("hash") == p.assets.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if path.Ext(name) == ".svg" {
		secure.SetCSP(h, svgCSP)
	}
	_, err := v.w.Write(body)
	return err
}

// contentType does not ask the machine's own table, which differs from one to the next.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "application/octet-stream"
	}
}
