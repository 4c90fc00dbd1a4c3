package secure

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose forwarded headers are believed. With none, every request comes from its peer.
//
// The proxy next to this server must append to X-Forwarded-For or to Forwarded (RFC 7239), as all usual ones do, and
// replace X-Forwarded-Proto. A header that it does not know passes through from the client unchanged; therefore, where
// both X-Forwarded-For and Forwarded arrive, they are believed only if they agree.
type Proxies []netip.Prefix

// Valid says what is wrong with a network: not valid, bits beyond its length, IPv4 written as IPv6, or everybody (/0).
func (p Proxies) Valid() error {
	for _, n := range p {
		switch {
		case !n.IsValid():
			return fmt.Errorf("trusted proxy %q is not a network", n)
		case n.Addr().Is4In6():
			return fmt.Errorf("trusted proxy %s must be written as IPv4", n)
		case n != n.Masked():
			return fmt.Errorf("trusted proxy %s has bits beyond its length; %s is meant", n, n.Masked())
		case n.Bits() == 0:
			return fmt.Errorf("trusted proxy %s would let anybody choose their address", n)
		}
	}
	return nil
}

// ClientAddr returns the address of the client: the peer, or, if that is a trusted proxy, the last address that the chain
// of trusted proxies vouches for. IPv4 in IPv6 is unmapped, zones are dropped. When the part of the headers that was
// written by trusted proxies makes no sense (not an address, "unknown", more than 32 hops, Forwarded and X-Forwarded-For
// differ), it is the peer. It is not valid only when the peer's is not (a Unix socket).
func (p Proxies) ClientAddr(r *http.Request) netip.Addr {
	c, _ := p.client(r)
	return c
}

// Scheme returns "https" or "http": that of the connection, or, if the peer is a trusted proxy and says so, that of the
// client's. Where X-Forwarded-* and Forwarded differ it is "http".
func (p Proxies) Scheme(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if !p.trusts(peer(r)) {
		return scheme
	}
	_, standard := p.client(r)
	plain := lastOf(r.Header["X-Forwarded-Proto"])
	switch {
	case standard == "" && plain == "":
		return scheme
	case cmp.Or(standard, plain) == "https" && cmp.Or(plain, standard) == "https":
		return "https"
	}
	return "http"
}

// lastOf is the last element of a list in header lines, in lower case: what the nearest proxy said.
func lastOf(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	_, last, _ := cutLast(lines[len(lines)-1], ',')
	return strings.ToLower(strings.Trim(last, " \t"))
}

// Ignored says whether the request holds forwarded headers that are not believed, because its peer is no trusted proxy:
// usually a proxy that was not configured, worth one line in the log, not one for each request.
func (p Proxies) Ignored(r *http.Request) bool {
	if p.trusts(peer(r)) {
		return false
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
		if len(r.Header[name]) > 0 {
			return true
		}
	}
	return false
}

// client finds the client's address and the scheme that Forwarded gives with it, "" when it gives none.
func (p Proxies) client(r *http.Request) (netip.Addr, string) {
	from := peer(r)
	if !p.trusts(from) {
		return from, ""
	}
	plain, standard := r.Header["X-Forwarded-For"], r.Header["Forwarded"]
	a, aOK := p.walk(plain, plainHop)
	b, bOK := p.walk(standard, standardHop)
	switch {
	case len(standard) == 0 && aOK:
		return a.addr, ""
	case len(plain) == 0 && bOK:
		return b.addr, b.proto
	case aOK && bOK && a.addr == b.addr:
		return a.addr, b.proto
	case len(plain) > 0 && len(standard) > 0:
		return from, "http"
	}
	return from, ""
}

// trusts says whether an address is that of a trusted proxy.
func (p Proxies) trusts(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// peer is the other end of the connection.
func peer(r *http.Request) netip.Addr {
	a, _ := node(r.RemoteAddr)
	return a
}
