package ui

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/secure"
)

// Config says how the pages look. The zero value is complete: the product's name comes from the engine.
type Config struct {
	// Logo replaces the mark beside the product's name: an SVG document of at most 64 KiB.
	Logo []byte
	// Accent is the one colour of buttons and links, "#rrggbb". It is darkened or lightened until it can be read in both
	// themes (WCAG 2.2 §1.4.3). Default "#1d6b57".
	Accent string
	// Templates overrides the built-in files one by one, under the same names: "login.html", "assets/style.css".
	Templates fs.FS
	// PasswordMin is the least length of a password in characters, as the hint beside the field says it; the password
	// method enforces its own. Default 12.
	PasswordMin int
}

const (
	defaultAccent      = "#1d6b57"
	defaultPasswordMin = 12
	maxLogo            = 64 << 10
)

//go:embed files
var embedded embed.FS

// Part serves the pages. Make it with [New].
type Part struct {
	engine      *ostiary.Engine
	pages       pages
	assets      *assets
	headers     http.Handler // sets the security headers of a page and writes nothing
	passwordMin int
}

// New reads the templates and assets once. It fails when an overriding file cannot be read, or a template does not parse.
func New(cfg Config) (*Part, error) {
	if len(cfg.Logo) > maxLogo {
		return nil, errors.New("ui: Config.Logo is larger than 64 KiB")
	}
	if cfg.Accent == "" {
		cfg.Accent = defaultAccent
	}
	if cfg.PasswordMin == 0 {
		cfg.PasswordMin = defaultPasswordMin
	}
	accent, err := parseColour(cfg.Accent)
	if err != nil {
		return nil, fmt.Errorf("ui: Config.Accent: %w", err)
	}
	base, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, fmt.Errorf("ui: %w", err)
	}
	files := overlay{over: cfg.Templates, base: base}
	p := &Part{passwordMin: cfg.PasswordMin}
	if p.assets, err = readAssets(files, accent, cfg.Logo); err != nil {
		return nil, fmt.Errorf("ui: %w", err)
	}
	if p.pages, err = p.parsePages(files); err != nil {
		return nil, fmt.Errorf("ui: %w", err)
	}
	return p, nil
}

// Name implements [ostiary.Part].
func (p *Part) Name() string { return "ui" }

// Routes implements [ostiary.Part].
func (p *Part) Routes(e *ostiary.Engine) ([]ostiary.Route, error) {
	p.engine = e
	headers := secure.Headers{HTTPS: e.Secure()}
	if !e.Secure() {
		headers.HSTS = -1
	}
	wrap, err := headers.Middleware()
	if err != nil {
		return nil, err
	}
	p.headers = wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	routes := []ostiary.Route{
		p.route("page.assets", "GET /assets/{hash}/{file}", ostiary.Public, p.asset),
		p.route("page.home", "GET /{$}", ostiary.Public, func(v *visit) error { return v.next("/account") }),
	}
	for _, g := range p.gates() {
		routes = append(routes,
			p.route("page."+g.name, "GET /"+g.path(), g.access, g.show),
			p.route("page."+g.name+".post", "POST /"+g.path(), g.access, g.take),
		)
	}
	return routes, nil
}

func (p *Part) route(name, pattern string, access ostiary.Access, serve func(v *visit) error) ostiary.Route {
	return ostiary.Route{
		Name: name, Pattern: pattern, Access: access, Fail: p.fail,
		Serve: ostiary.HTTP(func(w http.ResponseWriter, r *http.Request, c *ostiary.Call) error {
			p.headers.ServeHTTP(w, r)
			return serve(&visit{p: p, w: w, r: r, c: c})
		}),
	}
}

// gate is one page: GET shows it, POST takes its form. GET changes nothing.
type gate struct {
	name       string
	at         string // path when it is not the name
	access     ostiary.Access
	show, take func(v *visit) error
}

func (g gate) path() string {
	if g.at != "" {
		return g.at
	}
	return g.name
}

func (p *Part) gates() []gate {
	return []gate{
		{name: "login", access: ostiary.Optional, show: showLogin, take: takeLogin},
		{name: "signup", access: ostiary.Optional, show: showSignUp, take: takeSignUp},
		{name: "magic", access: ostiary.Optional, show: showMagic, take: takeMagic},
		{name: "mfa", access: ostiary.Optional, show: showSecond, take: takeSecond},
		{name: "recover", access: ostiary.Public, show: showCancel, take: takeCancel},
		{name: "forgot", access: ostiary.Public, show: showForgot, take: takeForgot},
		{name: "reset", access: ostiary.Public, show: showReset, take: takeReset},
		{name: "verify", access: ostiary.Public, show: showVerify, take: takeVerify},
		{name: "revert", at: "email/revert", access: ostiary.Public, show: showRevert, take: takeRevert},
		{name: "setup", access: ostiary.Public, show: showSetup, take: takeSetup},
		{name: "logout", access: ostiary.Optional, show: showLogout, take: takeLogout},
		{name: "twostep", at: "account/two-step", show: showTwoStep, take: takeTwoStep},
		{name: "account", show: showAccount, take: takeAccount},
	}
}
