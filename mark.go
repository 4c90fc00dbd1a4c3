package ostiary

import "time"

// Mark is a random name of this browser, kept in a cookie of that name and for that long from now on; one that it has
// already stays. It says that something is finished where it was begun, and nothing about who somebody is.
func (c *Call) Mark(name string, ttl time.Duration) string {
	mark := c.Marked(name)
	if mark == "" {
		_, mark = newSecret()
	}
	c.setCookie(name, mark, c.auth.now().Add(ttl))
	return mark
}

// Marked is the mark that the browser came with, or "". The cookie is not looked at when another site may have sent the
// request (R4), nor when the name came twice (R3).
func (c *Call) Marked(name string) string {
	if c.request == nil || c.auth.checkOrigin(c.request) != nil {
		return ""
	}
	mark := c.auth.cookie(c.request, name)
	if _, ok := cookieHash(mark); !ok {
		return ""
	}
	return mark
}
