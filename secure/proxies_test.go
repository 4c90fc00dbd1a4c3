package secure_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/secure"
)

var trusted = secure.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

// request comes from peer with header lines "Name: value".
func request(peer string, lines ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://app.example/", nil)
	r.RemoteAddr = peer
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	const proxy = "10.0.0.1:4711"
	for _, c := range []struct {
		name  string
		peer  string
		lines []string
		want  string
	}{
		{"no headers", "203.0.113.9:1", nil, "203.0.113.9"},
		{"mapped peer", "[::ffff:203.0.113.9]:1", nil, "203.0.113.9"},
		{"peer with zone", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"unix socket", "@", []string{"X-Forwarded-For: 1.2.3.4"}, "invalid IP"},
		{"peer is no proxy", "203.0.113.9:1", []string{"X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4"}, "203.0.113.9"},
		{"proxy says nothing", proxy, nil, "10.0.0.1"},

		{"one hop", proxy, []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		{"mapped proxy", "[::ffff:10.0.0.1]:1", []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		{"IPv6 proxy and client", "[fd00::1]:1", []string{"X-Forwarded-For: 2001:db8::9"}, "2001:db8::9"},
		{"two proxies", proxy, []string{"X-Forwarded-For: 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two lines", proxy, []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 10.0.0.2"}, "203.0.113.9"},
		{"spoofed first", proxy, []string{"X-Forwarded-For: 1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"spoofed line", proxy, []string{"X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		{"spoofed proxy", proxy, []string{"X-Forwarded-For: 1.2.3.4, 10.0.0.7, 203.0.113.9"}, "203.0.113.9"},
		{"garbage before the client", proxy, []string{`X-Forwarded-For: ", <x>,,, 203.0.113.9`}, "203.0.113.9"},
		{"a megabyte before the client", proxy, []string{"X-Forwarded-For: " + strings.Repeat("a", 1<<20) + ",203.0.113.9"}, "203.0.113.9"},
		{"many hops before the client", proxy, []string{"X-Forwarded-For: " + strings.Repeat("10.0.0.3,", 1_000) + "203.0.113.9"}, "203.0.113.9"},
		{"mapped client", proxy, []string{"X-Forwarded-For: ::ffff:203.0.113.9"}, "203.0.113.9"},
		{"mapped inner proxy", proxy, []string{"X-Forwarded-For: 203.0.113.9, ::ffff:10.0.0.2"}, "203.0.113.9"},
		{"client with zone", proxy, []string{"X-Forwarded-For: fe80::1%evil"}, "fe80::1"},
		{"client with port", proxy, []string{"X-Forwarded-For: 203.0.113.9:5555"}, "203.0.113.9"},
		{"IPv6 client with port", proxy, []string{"X-Forwarded-For: [2001:db8::9]:5555"}, "2001:db8::9"},
		{"IPv6 client in brackets", proxy, []string{"X-Forwarded-For: [2001:db8::9]"}, "2001:db8::9"},
		{"client in the trusted network", proxy, []string{"X-Forwarded-For: 10.9.9.9"}, "10.9.9.9"},
		{"X-Real-IP is nobody's", proxy, []string{"X-Real-IP: 1.2.3.4"}, "10.0.0.1"},

		{"garbage", proxy, []string{"X-Forwarded-For: unknown"}, "10.0.0.1"},
		{"empty", proxy, []string{"X-Forwarded-For: "}, "10.0.0.1"},
		{"trailing comma", proxy, []string{"X-Forwarded-For: 203.0.113.9,"}, "10.0.0.1"},
		{"garbage behind a proxy", proxy, []string{"X-Forwarded-For: nobody, 10.0.0.2"}, "10.0.0.1"},
		{"octal", proxy, []string{"X-Forwarded-For: 0203.0.113.9"}, "10.0.0.1"},
		{"IPv4 in brackets", proxy, []string{"X-Forwarded-For: [203.0.113.9]"}, "10.0.0.1"},
		{"32 hops", proxy, []string{"X-Forwarded-For: 203.0.113.9" + strings.Repeat(",10.0.0.2", 31)}, "203.0.113.9"},
		{"33 hops", proxy, []string{"X-Forwarded-For: 203.0.113.9" + strings.Repeat(",10.0.0.2", 32)}, "10.0.0.1"},
		{"long hop", proxy, []string{"X-Forwarded-For: " + strings.Repeat(" ", 600) + "203.0.113.9"}, "10.0.0.1"},

		{"forwarded", proxy, []string{"Forwarded: for=203.0.113.9;proto=https;by=10.0.0.1"}, "203.0.113.9"},
		{"forwarded IPv6", proxy, []string{`Forwarded: For="[2001:db8::9]:4711"`}, "2001:db8::9"},
		{"forwarded, two proxies", proxy, []string{"Forwarded: for=203.0.113.9, for=10.0.0.2"}, "203.0.113.9"},
		{"forwarded, spoofed", proxy, []string{"Forwarded: for=1.2.3.4, for=203.0.113.9"}, "203.0.113.9"},
		{"forwarded, open quote before", proxy, []string{`Forwarded: for="1.2.3.4, for=203.0.113.9`}, "203.0.113.9"},
		{"forwarded, comma in quotes", proxy, []string{`Forwarded: for=203.0.113.9;host="a,for=1.2.3.4"`}, "203.0.113.9"},
		{"forwarded, semicolon in quotes", proxy, []string{`Forwarded: for=203.0.113.9;host="a;for=1.2.3.4;b="`}, "203.0.113.9"},
		{"forwarded, for twice", proxy, []string{"Forwarded: for=1.2.3.4;for=203.0.113.9"}, "10.0.0.1"},
		{"forwarded, backslash", proxy, []string{`Forwarded: for=203.0.113.9;host="\""`}, "10.0.0.1"},
		{"forwarded, stray quotes", proxy, []string{`Forwarded: for=203.0.113.9;host=a"b"c`}, "10.0.0.1"},
		{"forwarded, long node", proxy, []string{"Forwarded: for=" + strings.Repeat("1", 65)}, "10.0.0.1"},
		{"forwarded, empty proto", proxy, []string{"Forwarded: for=203.0.113.9;proto="}, "10.0.0.1"},
		{"forwarded, obfuscated", proxy, []string{"Forwarded: for=_hidden"}, "10.0.0.1"},
		{"forwarded, unknown", proxy, []string{"Forwarded: for=unknown"}, "10.0.0.1"},
		{"forwarded without for", proxy, []string{"Forwarded: proto=https"}, "10.0.0.1"},
		{"forwarded, no pair", proxy, []string{"Forwarded: 203.0.113.9"}, "10.0.0.1"},

		{"both agree", proxy, []string{"X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9"}, "203.0.113.9"},
		{"client sent forwarded through", proxy, []string{"X-Forwarded-For: 203.0.113.9", "Forwarded: for=1.2.3.4"}, "10.0.0.1"},
		{"client sent garbage through", proxy, []string{"X-Forwarded-For: 203.0.113.9", "Forwarded: x"}, "10.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request(c.peer, c.lines...)
			if got := trusted.ClientAddr(r); got.String() != c.want {
				t.Errorf("ClientAddr = %s, want %s", got, c.want)
			}
			if got, want := secure.Proxies(nil).ClientAddr(r), secure.Proxies(nil).ClientAddr(request(c.peer)); got != want {
				t.Errorf("without proxies ClientAddr = %s, want the peer %s", got, want)
			}
		})
	}
}

func TestScheme(t *testing.T) {
	t.Parallel()
	const proxy, stranger = "10.0.0.1:1", "203.0.113.9:1"
	for _, c := range []struct {
		name  string
		peer  string
		tls   bool
		lines []string
		want  string
	}{
		{"plain", stranger, false, nil, "http"},
		{"tls", stranger, true, nil, "https"},
		{"stranger claims https", stranger, false, []string{"X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4;proto=https"}, "http"},
		{"stranger claims http", stranger, true, []string{"X-Forwarded-Proto: http"}, "https"},
		{"proxy says nothing", proxy, true, nil, "https"},
		{"proxy says https", proxy, false, []string{"X-Forwarded-Proto: HTTPS"}, "https"},
		{"proxy says http over tls", proxy, true, []string{"X-Forwarded-Proto: http"}, "http"},
		{"client's first, proxy's last", proxy, false, []string{"X-Forwarded-Proto: https, http"}, "http"},
		{"proxy's last line", proxy, false, []string{"X-Forwarded-Proto: http", "X-Forwarded-Proto: https"}, "https"},
		{"nonsense", proxy, false, []string{"X-Forwarded-Proto: gopher"}, "http"},
		{"forwarded", proxy, false, []string{"Forwarded: for=1.2.3.4;proto=https"}, "https"},
		{"forwarded, client's proto", proxy, false, []string{"Forwarded: for=1.2.3.4;proto=https, for=1.2.3.4;proto=http"}, "http"},
		{"forwarded, proto twice", proxy, false, []string{"Forwarded: for=1.2.3.4;proto=https;proto=https"}, "http"},
		{"both agree", proxy, false, []string{"Forwarded: for=1.2.3.4;proto=https", "X-Forwarded-Proto: https"}, "https"},
		{"they differ", proxy, false, []string{"Forwarded: for=1.2.3.4;proto=http", "X-Forwarded-Proto: https"}, "http"},
		{"addresses differ", proxy, false, []string{"Forwarded: for=1.2.3.4;proto=https", "X-Forwarded-For: 5.6.7.8"}, "http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request(c.peer, c.lines...)
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := trusted.Scheme(r); got != c.want {
				t.Errorf("Scheme = %s, want %s", got, c.want)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, peer, line string
		want             bool
	}{
		{"nothing sent", "203.0.113.9:1", "Accept: *", false},
		{"stranger sends it", "203.0.113.9:1", "X-Forwarded-For: x", true},
		{"stranger sends a host", "203.0.113.9:1", "X-Forwarded-Host: x", true},
		{"stranger sends the standard one", "203.0.113.9:1", "Forwarded: x", true},
		{"proxy sends it", "10.0.0.1:1", "X-Forwarded-Proto: x", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := trusted.Ignored(request(c.peer, c.line)); got != c.want {
				t.Errorf("Ignored = %t", got)
			}
		})
	}
}

func TestProxiesValid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		net  netip.Prefix
		want string
	}{
		{"IPv4", netip.MustParsePrefix("10.0.0.0/8"), ""},
		{"one address", netip.MustParsePrefix("::1/128"), ""},
		{"zero", netip.Prefix{}, "not a network"},
		{"everybody", netip.MustParsePrefix("0.0.0.0/0"), "anybody"},
		{"everybody by IPv6", netip.MustParsePrefix("::/0"), "anybody"},
		{"bits beyond", netip.MustParsePrefix("10.0.0.1/8"), "10.0.0.0/8 is meant"},
		{"mapped", netip.MustParsePrefix("::ffff:10.0.0.0/104"), "as IPv4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkError(t, secure.Proxies{c.net}.Valid(), c.want)
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error %q, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want %q", err, want)
	}
}
