package ostiary_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary"
)

func contains(s, sub string) bool { return strings.Contains(s, sub) }

func TestR3_OneExplicitCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	c.knock("ada@example.com", "")
	token := w.client().knock("ada@example.com", "body").body["access_token"].(string)
	for name, tc := range map[string]struct {
		header http.Header
		status int
		code   string
	}{
		"a bad one does not fall back to the cookie": {http.Header{"Authorization": {"Bearer nonsense"}}, 401, "invalid_token"},
		"an unknown scheme":                          {http.Header{"Authorization": {"Basic YTpi"}}, 401, "invalid_token"},
		"an unknown key":                             {http.Header{"X-Api-Key": {"ost_live_x"}}, 401, "invalid_token"},
		"two kinds":                                  {http.Header{"Authorization": {"Bearer " + token}, "X-Api-Key": {"k"}}, 400, "invalid_request"},
		"twice the same":                             {http.Header{"Authorization": {"Bearer " + token, "Bearer " + token}}, 400, "invalid_request"},
		"a huge one":                                 {http.Header{"Authorization": {"Bearer " + strings.Repeat("a", 20_000)}}, 401, "invalid_token"},
		"a good one":                                 {http.Header{"Authorization": {"bearer " + token}}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := &client{w: w, http: c.http, header: tc.header}
			d.want(d.do("GET", "/api/v1/who", nil), tc.status, tc.code)
		})
	}
}

func TestR3_CookieSentTwiceIsAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	k := w.client().knock("ada@example.com", "").Cookies()[0]
	c := w.client()
	c.header.Set("Cookie", k.Name+"="+k.Value)
	c.want(c.do("GET", "/api/v1/who", nil), 200, "")
	c.header.Set("Cookie", k.Name+"="+k.Value+"; "+k.Name+"="+k.Value)
	c.want(c.do("GET", "/api/v1/who", nil), 401, "not_authenticated")
}

func TestR4_CrossOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.Origins = []string{"https://app.example.com"} })
	c := w.client()
	c.knock("ada@example.com", "")
	for name, tc := range map[string]struct {
		header http.Header
		status int
		code   string
	}{
		"another site":       {http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, "cross_origin"},
		"a sibling":          {http.Header{"Sec-Fetch-Site": {"same-site"}}, 403, "cross_origin"},
		"another origin":     {http.Header{"Origin": {"https://evil.example"}}, 403, "cross_origin"},
		"the null origin":    {http.Header{"Origin": {"null"}}, 403, "cross_origin"},
		"a configured one":   {http.Header{"Origin": {"https://app.example.com"}, "Sec-Fetch-Site": {"cross-site"}, "Content-Type": {"application/json"}}, 204, ""},
		"the same as a form": {http.Header{"Origin": {"https://app.example.com"}, "Sec-Fetch-Site": {"cross-site"}, "Content-Type": {"text/plain"}}, 403, "cross_origin"},
		"our own page":       {http.Header{"Sec-Fetch-Site": {"same-origin"}}, 204, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := &client{w: w, http: c.http, header: tc.header}
			r := d.want(d.do("POST", "/api/v1/knock/change", nil), tc.status, tc.code)
			got := r.Header.Get("Access-Control-Allow-Origin")
			if want := tc.header.Get("Origin"); want == "https://app.example.com" && got != want || want != "https://app.example.com" && got != "" {
				t.Errorf("Access-Control-Allow-Origin: %q", got)
			}
		})
	}
}

func TestR4_LoginCrossOrigin(t *testing.T) {
	t.Parallel()
	c := newWorld(t, nil).client()
	c.header.Set("Sec-Fetch-Site", "cross-site")
	c.want(c.do("POST", "/api/v1/knock", map[string]any{"email": "ada@example.com"}), 403, "cross_origin")
}

func TestR4_RequireChecksTheOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	k := c.knock("ada@example.com", "").Cookies()[0]
	protected := w.auth.Require()(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, ostiary.UserFrom(r.Context()).Email)
	}))
	for site, want := range map[string]int{"same-origin": 200, "cross-site": 403, "": 200} {
		r := httptest.NewRequest("POST", w.auth.Issuer()+"/todos", nil)
		r.AddCookie(k)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		rec := httptest.NewRecorder()
		protected.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("Sec-Fetch-Site %q: got %d, want %d", site, rec.Code, want)
		}
	}
}

func TestR5_Host(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.AllowedHosts = []string{"auth.internal"} })
	base := strings.TrimPrefix(w.auth.Issuer(), "http://")
	port := base[strings.LastIndexByte(base, ':'):]
	for name, tc := range map[string]struct {
		method, host string
		status       int
	}{
		"ours":                 {"GET", base, 401},
		"ours in capitals":     {"GET", strings.ToUpper(base), 401},
		"allowed":              {"GET", "auth.internal", 401},
		"foreign":              {"GET", "evil.example", 421},
		"other port":           {"GET", "localhost:1", 421},
		"loopback redirects":   {"GET", "127.0.0.1" + port, 302},
		"loopback v6":          {"GET", "[::1]" + port, 302},
		"loopback POST":        {"POST", "127.0.0.1" + port, 421},
		"loopback, other port": {"GET", "127.0.0.1:1", 421},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "/api/v1/who", nil)
			r.Host = tc.host
			rec := httptest.NewRecorder()
			w.auth.ServeHTTP(rec, r)
			if rec.Code != tc.status {
				t.Fatalf("got %d, want %d", rec.Code, tc.status)
			}
			if l := rec.Header().Get("Location"); tc.status == 302 && l != w.auth.Issuer()+"/api/v1/who" {
				t.Fatalf("Location: %s", l)
			}
		})
	}
}

func TestR5_PlainHTTPIsRefused(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"http://localhost:8080": true, "https://id.example.com": true, "https://id.example.com/auth/": true,
		"http://id.example.com": false, "ftp://id.example.com": false, "id.example.com": false, "https://": false,
		"https://u:p@id.example.com": false, "https://id.example.com/?a": false, "http://127.0.0.1:8080": false,
	} {
		w := &world{}
		_, err := ostiary.New(t.Context(), ostiary.Config{URL: url, Key: mustKey(t)})
		if refused := err != nil && strings.Contains(err.Error(), "Config.URL"); refused == ok {
			t.Errorf("%s: %v", url, err)
		}
		_ = w
	}
}

func TestR6_Cookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.URL = "https://id.example.com" })
	r := httptest.NewRequest("POST", "https://id.example.com/api/v1/knock", strings.NewReader(`{"email":"ada@example.com","delivery":"cookies"}`))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.auth.ServeHTTP(rec, r)
	cookies := rec.Result().Cookies()
	if len(cookies) != 3 {
		t.Fatalf("got %v", cookies)
	}
	for _, k := range cookies {
		if !strings.HasPrefix(k.Name, "__Host-") || !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" || k.SameSite != http.SameSiteLaxMode {
			t.Errorf("got %s", k)
		}
		if len(k.String()) > 4096 {
			t.Errorf("%s has %d bytes", k.Name, len(k.String()))
		}
	}
}

func TestR9_ReturnTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	engine, _ := w.auth.Engine("test")
	for _, good := range []string{"/", "/todos", "/todos?a=b#c", "/a//b"} {
		if got := engine.SafeReturn(good); got != good {
			t.Errorf("SafeReturn(%q) = %q", good, got)
		}
	}
	for _, bad := range []string{
		"", "todos", "//evil.example", "/%2f", "/\\evil.example", "\\\\evil.example", "https://evil.example", "/\t/evil.example", "/a\nb",
		"javascript:alert(1)", "/\x00", "///evil.example", "/%5c\\evil", " /todos", "//", "/%00\x7f", "http:/evil.example",
	} {
		if got := engine.SafeReturn(bad); got != "/account" {
			t.Errorf("SafeReturn(%q) = %q", bad, got)
		}
	}
}

func TestR37_LimitPerSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	for i := range 5 {
		c.want(c.do("POST", "/api/v1/knock", map[string]any{"email": "wrong@example.com"}), 401, "invalid_credentials")
		_ = i
	}
	limited := c.want(c.do("POST", "/api/v1/knock", map[string]any{"email": "wrong@example.com"}), 429, "rate_limited")
	if limited.Header.Get("Retry-After") == "" || limited.Header.Get("RateLimit-Policy") == "" {
		t.Fatalf("headers: %v", limited.Header)
	}
	c.want(c.do("POST", "/api/v1/knock", map[string]any{"email": "ada@example.com"}), 200, "")
	w.clock.advance(3 * time.Minute)
	c.want(c.do("POST", "/api/v1/knock", map[string]any{"email": "wrong@example.com"}), 401, "invalid_credentials")
}

func TestR37_ForwardedHeadersAreNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.client()
	refused := 0
	for i := range 70 {
		c.header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}).String())
		if c.do("POST", "/api/v1/logout", nil).StatusCode == 429 {
			refused++
		}
	}
	if refused == 0 {
		t.Fatal("a spoofed address got a bucket of its own")
	}
}

func TestR43_Prefix(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) { cfg.URL += "/auth" })
	for path, want := range map[string]int{"/auth/api/v1/who": 401, "/api/v1/who": 404, "/authx/api/v1/who": 404, "/auth": 404} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = strings.TrimSuffix(strings.TrimPrefix(w.auth.Issuer(), "http://"), "/auth")
		rec := httptest.NewRecorder()
		w.auth.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("%s: got %d, want %d", path, rec.Code, want)
		}
	}
}

func TestUnroutedAnswers(t *testing.T) {
	t.Parallel()
	c := newWorld(t, nil).client()
	c.want(c.do("GET", "/api/v1/nothing", nil), 404, "not_found")
	r := c.want(c.do("DELETE", "/api/v1/who", nil), 405, "method_not_allowed")
	if !contains(r.Header.Get("Allow"), "GET") {
		t.Fatalf("Allow: %q", r.Header.Get("Allow"))
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, tc := range map[string]struct {
		typ, body string
		status    int
		code      string
	}{
		"cut":           {"application/json", `{"email":`, 400, "invalid_request"},
		"unknown field": {"application/json", `{"email":"a@example.com","admin":true}`, 400, "unknown_field"},
		"form":          {"application/x-www-form-urlencoded", `email=a`, 415, "unsupported_media_type"},
		"too large":     {"application/json", `{"email":"` + strings.Repeat("a", 70_000) + `"}`, 413, "payload_too_large"},
		"bad delivery":  {"application/json", `{"email":"a@example.com","delivery":"pigeon"}`, 400, "invalid_request"},
		"bad audience":  {"application/json", `{"email":"a@example.com","audience":["x"]}`, 400, "invalid_request"},
		"bad claims":    {"application/json", `{"email":"a@example.com","claims":["password"]}`, 400, "invalid_request"},
		"no address":    {"application/json", `{"email":"nonsense"}`, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", w.auth.Issuer()+"/api/v1/knock", strings.NewReader(tc.body))
			r.Header.Set("Content-Type", tc.typ)
			rec := httptest.NewRecorder()
			w.auth.ServeHTTP(rec, r)
			if rec.Code != tc.status || !contains(rec.Body.String(), `"code":"`+tc.code+`"`) {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
			if rec.Header().Get("Content-Type") != "application/problem+json" {
				t.Fatal(rec.Header())
			}
		})
	}
}

func TestR5_PlainHTTPBehindATrustedProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.URL, cfg.Proxies = "https://id.example.com", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	for name, tc := range map[string]struct {
		method, peer, proto string
		status              int
	}{
		"redirected":                  {"GET", "10.0.0.1:1", "http", 308},
		"refused":                     {"POST", "10.0.0.1:1", "http", 403},
		"https":                       {"GET", "10.0.0.1:1", "https", 401},
		"a proxy that says nothing":   {"GET", "10.0.0.1:1", "", 401},
		"somebody who is not trusted": {"GET", "192.0.2.1:1", "http", 401},
	} {
		r := httptest.NewRequest(tc.method, "/api/v1/who", nil)
		r.Host, r.RemoteAddr = "id.example.com", tc.peer
		if tc.proto != "" {
			r.Header.Set("X-Forwarded-Proto", tc.proto)
		}
		rec := httptest.NewRecorder()
		w.auth.ServeHTTP(rec, r)
		if rec.Code != tc.status {
			t.Errorf("%s: got %d, want %d", name, rec.Code, tc.status)
		}
		if l := rec.Header().Get("Location"); tc.status == 308 && l != "https://id.example.com/api/v1/who" {
			t.Errorf("%s: Location %q", name, l)
		}
	}
}
