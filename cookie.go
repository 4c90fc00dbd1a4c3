package ostiary

import (
	"net/http"
	"time"
)

// The cookies (R6). Over https they carry the __Host- prefix, which keeps a sibling subdomain from planting them.
const (
	sessionCookie = "session"
	accessCookie  = "access_token"
	refreshCookie = "refresh_token"
)

const hostPrefix = "__Host-"

func (a *Auth) cookieName(name string) string {
	if a.secure {
		return hostPrefix + name
	}
	return name
}

// cookie returns the value of one of our cookies. A name that was sent twice counts as absent (R3).
func (a *Auth) cookie(r *http.Request, name string) string {
	found := r.CookiesNamed(a.cookieName(name))
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

func (a *Auth) newCookie(name, value string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: a.cookieName(name), Value: value, Path: "/", Expires: expires,
		Secure: a.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

func (c *Call) setCookie(name, value string, expires time.Time) {
	c.dropCookie(c.auth.cookieName(name))
	c.cookies = append(c.cookies, c.auth.newCookie(name, value, expires))
}

// clearCookie takes a cookie back from the browser, also one that it may not have.
func (c *Call) clearCookie(names ...string) {
	for _, name := range names {
		c.dropCookie(c.auth.cookieName(name))
		gone := c.auth.newCookie(name, "", time.Unix(1, 0))
		gone.MaxAge = -1
		c.cookies = append(c.cookies, gone)
	}
}

func (c *Call) dropCookie(full string) {
	kept := c.cookies[:0]
	for _, k := range c.cookies {
		if k.Name != full {
			kept = append(kept, k)
		}
	}
	c.cookies = kept
}

func (c *Call) writeCookies(w http.ResponseWriter) {
	for _, k := range c.cookies {
		http.SetCookie(w, k)
	}
}
