package server_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/server"
)

const cheap = "argon2id:m=7168,t=5,p=1"

func config(t *testing.T) server.Config {
	t.Helper()
	return server.Config{Data: filepath.Join(t.TempDir(), "data"), PasswordHash: cheap, Log: slog.New(slog.DiscardHandler)}
}

func start(t *testing.T, cfg server.Config) *server.Server {
	t.Helper()
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func get(s http.Handler, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
	return w
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := start(t, config(t))
	for path, want := range map[string]string{"/healthz": `{"status":"ok"}`, "/readyz": `{"status":"ready"}`} {
		// Probes come by address, whatever the name of the site is.
		if w := get(s, "http://10.0.0.7:8080"+path); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s answered %d %s", path, w.Code, w.Body)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w := get(s, "http://localhost:8080/readyz")
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"code":"unavailable"`) {
		t.Errorf("without a store readyz answered %d %s", w.Code, w.Body)
	}
	if w := get(s, "http://localhost:8080/healthz"); w.Code != 200 {
		t.Errorf("without a store healthz answered %d", w.Code)
	}
}

func TestR43_UnderAPrefix(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.URL = "http://localhost:8080/auth"
	mux := http.NewServeMux()
	mux.Handle("/auth/", start(t, cfg))
	for path, want := range map[string]int{"/auth/readyz": 200, "/auth/login": 200, "/auth/api/v1/me": 401, "/readyz": 404} {
		if w := get(mux, "http://localhost:8080"+path); w.Code != want {
			t.Errorf("%s answered %d, want %d", path, w.Code, want)
		}
	}
}

func TestR36_SetupLinkGoesWhereAPersonIs(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	s := start(t, cfg)
	file, err := os.ReadFile(filepath.Join(cfg.Data, "setup-link"))
	if err != nil || string(file) != s.SetupLink()+"\n" || !strings.HasPrefix(s.SetupLink(), "http://localhost:8080/setup#token=") {
		t.Errorf("the file holds %q, the link is %q (%v)", file, s.SetupLink(), err)
	}
	var console bytes.Buffer
	cfg.Data, cfg.Console = filepath.Join(t.TempDir(), "data"), &console
	if start(t, cfg).SetupLink() == "" {
		t.Error("there is no link")
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "setup-link")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with a terminal there is a file, too: %v", err)
	}
}

func TestOpenMakesNothing(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	if _, err := server.Open(t.Context(), cfg); !errors.Is(err, server.ErrNoData) {
		t.Errorf("error is %v, want ErrNoData", err)
	}
	if _, err := os.Stat(cfg.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
}

// TestCommandsLeaveMailToTheServer: a command that ends at once must not take a mail and lose it for minutes.
func TestCommandsLeaveMailToTheServer(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	if _, err := server.Migrate(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	engine, call := s.Engine(ostiary.ActorCLI)
	err = engine.Administer(t.Context(), call, func(tx *ostiary.AdminTx) error {
		u, err := tx.CreateUser(t.Context(), ostiary.NewUser{Email: "ada@example.com"}, nil)
		if err != nil {
			return err
		}
		return tx.Mail(t.Context(), u, "password_changed", map[string]string{"Link": "http://localhost:8080/forgot"})
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	var queue server.Finding
	for _, f := range server.Doctor(t.Context(), cfg) {
		if f.Name == "mail queue" {
			queue = f
		}
	}
	if queue.Value != "1" {
		t.Errorf("the queue holds %q mails, want 1", queue.Value)
	}
}

func TestR33_WithoutAMailServer(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.URL = "https://id.example.com"
	forgot := func(cfg server.Config) int {
		cfg.Data = filepath.Join(t.TempDir(), "data")
		r := httptest.NewRequest("POST", cfg.URL+"/api/v1/password/forgot", strings.NewReader(`{"email":"ada@example.com"}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		start(t, cfg).ServeHTTP(w, r)
		return w.Code
	}
	if code := forgot(cfg); code != 503 {
		t.Errorf("on a public address the answer is %d, want 503", code)
	}
	cfg.AllowMailOutbox = true
	if code := forgot(cfg); code != 202 {
		t.Errorf("with allow-mail-outbox the answer is %d, want 202", code)
	}
	cfg.AllowMailOutbox, cfg.URL = false, "http://localhost:8080"
	if code := forgot(cfg); code != 202 {
		t.Errorf("on localhost the answer is %d, want 202", code)
	}
}

func TestDocumentNeedsNoData(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.URL, cfg.Version = "https://id.example.com", "1.2.3"
	document, err := server.Document(t.Context(), cfg)
	if err != nil || !bytes.Contains(document, []byte(`"version": "1.2.3"`)) || !bytes.Contains(document, []byte("/api/v1/login")) {
		t.Errorf("document of %d bytes, %v", len(document), err)
	}
	if _, err := os.Stat(cfg.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("data was made: %v", err)
	}
}

func TestWeakSettingsAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	cfg := config(t)
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	cfg.InsecureNoRateLimits = true
	if err := start(t, cfg).Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "setting=insecure-no-rate-limits") {
		t.Errorf("the log says nothing: %s", log.String())
	}
}
