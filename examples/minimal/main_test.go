package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/server"
)

// start runs the program on a free port and returns its address.
func start(t *testing.T) string {
	t.Helper()
	var program http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { program.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	_, port, err := net.SplitHostPort(web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address := "http://localhost:" + port
	auth, err := server.New(t.Context(), server.Config{
		URL: address + "/auth", Data: filepath.Join(t.TempDir(), "data"), PasswordHash: "argon2id:m=7168,t=5,p=1",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		web.Close()
		if err := auth.Close(); err != nil {
			t.Error(err)
		}
	})
	program = routes(auth)
	return address
}

func page(t *testing.T, c *http.Client, url string) (path, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	return send(t, c, req)
}

func send(t *testing.T, c *http.Client, req *http.Request) (path, text string) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d %s", req.Method, req.URL, resp.StatusCode, body)
	}
	return resp.Request.URL.Path, string(body)
}

func post(t *testing.T, c *http.Client, url, kind, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	_, text := send(t, c, req)
	return text
}

func TestMinimal(t *testing.T) {
	t.Parallel()
	address := start(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ada := &http.Client{Jar: jar}
	if _, text := page(t, ada, address+"/"); !strings.Contains(text, "/auth/signup") {
		t.Errorf("the front page does not lead to sign-up: %s", text)
	}
	if path, _ := page(t, ada, address+"/todo"); path != "/auth/login" {
		t.Errorf("a stranger is led to %s", path)
	}
	post(t, ada, address+"/auth/api/v1/register", "application/json", `{"email": "ada@example.com", "password": "plum kettle orbit canvas"}`)
	text := post(t, ada, address+"/todo", "application/x-www-form-urlencoded", url.Values{"item": {"feed the <cat>"}}.Encode())
	for _, want := range []string{"ada@example.com", "feed the &lt;cat&gt;", "/auth/logout"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q on the page: %s", want, text)
		}
	}
	post(t, ada, address+"/auth/api/v1/logout", "application/json", `{}`)
	if path, _ := page(t, ada, address+"/todo"); path != "/auth/login" {
		t.Errorf("after signing out one is led to %s", path)
	}
}
