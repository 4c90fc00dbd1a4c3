package password_test

import (
	"crypto/sha1"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ostiary/ostiary/method/password"
)

// ranges is a server of the range protocol on this machine.
func ranges(t *testing.T, serve http.HandlerFunc) *password.Ranges {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	client, err := password.NewRanges(server.URL + "/range/")
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func digits(text string) string {
	hash := sha1.Sum([]byte(text))
	return strings.ToUpper(hex.EncodeToString(hash[:]))
}

// flood writes 100 MB, or as much as is read.
func flood(w io.Writer, line string) {
	chunk := []byte(strings.Repeat(line, 1000))
	for written := 0; written < 100<<20; written += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	suffix := digits(good)[5:]
	filler := strings.Repeat("0", 34) + "1:7\r\n" + strings.Repeat("F", 35) + ":2\r\n"
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		found bool
		fails string
	}{
		"found":               {says(filler + suffix + ":3\r\n"), true, ""},
		"found, no line end":  {says(filler + suffix + ":3"), true, ""},
		"found in lower case": {says(strings.ToLower(suffix) + ":30\n" + filler), true, ""},
		"not found":           {says(filler), false, ""},
		"nothing there":       {says(""), false, ""},
		"padding":             {says(filler + suffix + ":0\r\n"), false, ""},
		"garbage":             {says("<html>sign in to the hotel's network</html>"), false, "not of the form"},
		"no count":            {says(suffix + "\n"), false, "not of the form"},
		"a word for a count":  {says(suffix + ":many\n"), false, "not of the form"},
		"a negative count":    {says(suffix + ":-1\n"), false, "not of the form"},
		"status 500":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, false, "status 500"},
		"status 404":          {http.NotFound, false, "status 404"},
		"100 MB of lines":     {func(w http.ResponseWriter, _ *http.Request) { flood(w, filler) }, false, "more than"},
		"100 MB in one line":  {func(w http.ResponseWriter, _ *http.Request) { flood(w, "FFFF") }, false, "too long"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, filler)
		}, false, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := ranges(t, c.serve)
			password.Hasten(client, time.Minute) // however busy the machine is
			found, err := client.Breached(t.Context(), sha1.Sum([]byte(good)))
			if found != c.found || (err != nil) != (c.fails != "") {
				t.Fatalf("got %v, %v, want %v", found, err, c.found)
			}
			if err == nil {
				return
			}
			if !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), digits(good)[:5]) {
				t.Errorf("got %q, want %q in it and no digit", err, c.fails)
			}
		})
	}
}

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func TestRangesSendFiveDigits(t *testing.T) {
	t.Parallel()
	client := ranges(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if want := "/range/" + digits(good)[:5]; r.Method != "GET" || r.RequestURI != want || len(body) != 0 {
			t.Errorf("got %s %s %q, want GET %s", r.Method, r.RequestURI, body, want)
		}
		if r.Header.Get("Add-Padding") != "true" {
			t.Error("an observer can tell the range by the length of the answer")
		}
		for name, values := range r.Header {
			if strings.Contains(strings.ToUpper(strings.Join(values, " ")), digits(good)[5:]) {
				t.Errorf("header %s holds the rest of the hash", name)
			}
		}
	})
	if _, err := client.Breached(t.Context(), sha1.Sum([]byte(good))); err != nil {
		t.Error(err)
	}
}

func TestRangesFollowNoRedirect(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	client := ranges(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	if _, err := client.Breached(t.Context(), sha1.Sum([]byte(good))); err == nil || !strings.Contains(err.Error(), "status 302") {
		t.Errorf("got %v", err)
	}
	if elsewhere.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestRangesDoNotWait(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half an answer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("F", 35)+":1\r\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := ranges(t, serve)
			password.Hasten(client, 50*time.Millisecond)
			found, err := client.Breached(t.Context(), sha1.Sum([]byte(good)))
			if found || err == nil || strings.Contains(err.Error(), digits(good)[:5]) {
				t.Errorf("got %v, %v", found, err)
			}
		})
	}
}

func TestNewRanges(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{
		"https://api.pwnedpasswords.com/range/": true, "https://api.pwnedpasswords.com/range": true, "https://example.com": true,
		"http://localhost:8090/range/": true, "http://127.0.0.1/": true, "http://[::1]:80/": true,
		"": false, "example.com/range": false, "http://example.com/": false, "http://127.0.0.1.example.com/": false, "http://localhost.example.com/": false,
		"ftp://localhost/": false, "https://user:pass@example.com/": false, "https://example.com/?q=": false, "https://example.com/?": false,
		"https://example.com/#x": false, "https:///range": false, "https://exa mple.com/": false,
	} {
		if _, err := password.NewRanges(endpoint); (err == nil) != want {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

func FuzzRange(f *testing.F) {
	suffix := digits(good)[5:]
	f.Add([]byte(suffix + ":3\r\n"))
	f.Add([]byte(suffix + ":0\n" + strings.Repeat("F", 35) + ":1"))
	f.Add([]byte("<html>"))
	f.Add([]byte("\r\n:\n::"))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := password.InRange(strings.NewReader(string(body)), suffix)
		if found && (err != nil || !strings.Contains(strings.ToUpper(string(body)), suffix+":")) {
			t.Errorf("found in %q: %v", body, err)
		}
	})
}
