package secure_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/ostiary/ostiary/secure"
)

func ExampleProxies_ClientAddr() {
	proxies := secure.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", "1.2.3.4, 203.0.113.9, 10.0.0.2") // the client made up the first one
	fmt.Println(proxies.ClientAddr(r))
	// Output: 203.0.113.9
}

func ExampleHeaders() {
	headers, err := secure.Headers{}.Middleware()
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := headers(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		secure.SetCSP(w.Header(), "default-src 'none'; style-src 'self'") // for this response only
	}))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Header().Get("Content-Security-Policy"))
	fmt.Println(w.Header().Get("X-Frame-Options"))
	// Output:
	// default-src 'none'; style-src 'self'
	// DENY
}

func ExampleSameOrigin() {
	r := httptest.NewRequest("POST", "https://app.example/transfer", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://evil.example")
	fmt.Println(secure.SameOrigin(r, nil) != nil)
	fmt.Println(secure.SameOrigin(r, []string{"https://evil.example"}) != nil)
	// Output:
	// true
	// false
}

func ExampleCORS() {
	cors, err := secure.CORS{Origins: []string{"https://spa.example"}, Headers: []string{"Authorization"}}.Middleware()
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("OPTIONS", "/api", nil)
	r.Header.Set("Origin", "https://spa.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "authorization")
	w := httptest.NewRecorder()
	cors(http.NotFoundHandler()).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	// Output: 204 https://spa.example
}

func ExampleHTTPS() {
	redirect, err := secure.HTTPS{Host: "app.example"}.Middleware()
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	redirect(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "http://evil.example/login", nil))
	fmt.Println(w.Code, w.Header().Get("Location"))
	// Output: 308 https://app.example/login
}
