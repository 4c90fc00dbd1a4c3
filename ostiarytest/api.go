package ostiarytest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Password is the password of everybody who was signed up here.
const Password = "plum kettle orbit canvas"

// Reply is an answer of the JSON API.
type Reply struct {
	Status int
	Code   string // of an error
	Header http.Header
	Body   []byte
}

// JSON reads the body.
func (r Reply) JSON(t testing.TB, out any) {
	t.Helper()
	if err := json.Unmarshal(r.Body, out); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
}

// Call calls the JSON API: path is below URL ("/api/v1/me"), in is the body, nil for none.
func (s *Server) Call(t testing.TB, c *http.Client, method, path string, in any) Reply {
	t.Helper()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := Reply{Status: resp.StatusCode, Header: resp.Header}
	if r.Body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
		var problem struct{ Code string }
		r.JSON(t, &problem)
		r.Code = problem.Code
	}
	return r
}

// SignUp registers somebody with [Password], confirms the address by the link in the mail, and returns a browser that is
// signed in.
func (s *Server) SignUp(t testing.TB, email string) *http.Client {
	t.Helper()
	c := s.Browser()
	r := s.must(t, c, "/api/v1/register", map[string]any{"email": email, "password": Password})
	if s.mails {
		s.must(t, c, "/api/v1/email/verify", map[string]any{"token": s.Mail.Next(t, email).Token()})
	}
	if r.Status == http.StatusAccepted { // sign-up does not tell, or the address had to be confirmed first
		return s.SignIn(t, email)
	}
	return c
}

// SignIn signs somebody in with [Password], who was signed up before, in a new browser.
func (s *Server) SignIn(t testing.TB, email string) *http.Client {
	t.Helper()
	c := s.Browser()
	s.must(t, c, "/api/v1/login", map[string]any{"email": email, "password": Password})
	return c
}

func (s *Server) must(t testing.TB, c *http.Client, path string, in any) Reply {
	t.Helper()
	r := s.Call(t, c, http.MethodPost, path, in)
	if r.Status >= http.StatusBadRequest {
		t.Fatalf("POST %s: %d %s", path, r.Status, r.Body)
	}
	return r
}
