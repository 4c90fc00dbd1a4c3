package secure

import (
	"net/netip"
	"strings"
)

// The limits of what is read of forwarded headers. What a client put in front of them costs nothing and hides nothing:
// they are read from the end, and only as far as trusted proxies wrote them.
const (
	maxHops = 32
	maxHop  = 512 // bytes
	maxNode = 64  // bytes
)

// hop is what one proxy says about the other end of its connection.
type hop struct {
	addr  netip.Addr
	proto string // "" when it does not say
}

// walk goes from the last hop towards the client while addresses are those of trusted proxies, and returns where it ended.
// ok is false when it met something that is not a hop, or too many.
func (p Proxies) walk(lines []string, parse func(string) (hop, bool)) (h hop, ok bool) {
	hops := 0
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; hops++ {
			var element string
			rest, element, more = cutLast(rest, ',')
			if hops == maxHops || len(element) > maxHop {
				return hop{}, false
			}
			if h, ok = parse(element); !ok || !p.trusts(h.addr) {
				return h, ok
			}
		}
	}
	return h, ok
}

// cutLast splits a list at its last separator outside quotes. It counts quotes from the end, so that a quote which the
// client left open cannot swallow what a proxy appended.
func cutLast(list string, separator byte) (rest, element string, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == '"':
			quoted = !quoted
		case list[i] == separator && !quoted:
			return list[:i], list[i+1:], true
		}
	}
	return "", list, false
}

// plainHop reads an element of X-Forwarded-For.
func plainHop(s string) (hop, bool) {
	a, ok := node(strings.Trim(s, " \t"))
	return hop{addr: a}, ok
}

// standardHop reads an element of Forwarded (RFC 7239 §4): it must say "for" once, and "proto" at most once. Backslashes are
// refused: no address or scheme needs one, and they would make quotes mean different things from either end.
func standardHop(s string) (hop, bool) {
	if strings.IndexByte(s, '\\') >= 0 {
		return hop{}, false
	}
	var h hop
	for more := true; more; {
		var pair string
		s, pair, more = cutLast(s, ';')
		name, value, found := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !found || !h.set(strings.ToLower(name), value) {
			return hop{}, false
		}
	}
	return h, h.addr.IsValid()
}

// set notes one parameter and says whether it could be read.
func (h *hop) set(name, value string) (ok bool) {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	if strings.IndexByte(value, '"') >= 0 {
		return false
	}
	switch {
	case name == "for" && !h.addr.IsValid():
		h.addr, ok = node(value)
		return ok
	case name == "proto" && h.proto == "":
		h.proto = strings.ToLower(value)
		return value != ""
	}
	return name != "for" && name != "proto"
}

// node reads an address with or without a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80.
func node(s string) (netip.Addr, bool) {
	if len(s) > maxNode {
		return netip.Addr{}, false
	}
	if inner, found := strings.CutPrefix(s, "["); found {
		if inner, found = strings.CutSuffix(inner, "]"); found {
			a, err := netip.ParseAddr(inner)
			return clean(a), err == nil && a.Is6()
		}
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return clean(a), true
	}
	a, err := netip.ParseAddrPort(s)
	return clean(a.Addr()), err == nil
}

// clean has one form for each address.
func clean(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
