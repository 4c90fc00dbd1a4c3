package ostiarytest

import (
	"net/http"
	"testing"
	"time"

	"github.com/ostiary/ostiary/method/totp"
)

// App is an authenticator app: it knows one secret, and shows a new code whenever it is asked.
type App struct {
	server *Server
	secret string
}

// AddApp sets codes of an app up for whoever is signed in in the browser, and returns the app and the backup codes.
func (s *Server) AddApp(t testing.TB, c *http.Client) (app *App, backup []string) {
	t.Helper()
	var setup struct{ Secret string }
	s.must(t, c, "/api/v1/mfa/totp/setup", nil).JSON(t, &setup)
	app = &App{s, setup.Secret}
	var confirmed struct {
		BackupCodes []string `json:"backup_codes"`
	}
	s.must(t, c, "/api/v1/mfa/totp/confirm", map[string]any{"code": app.Code(t)}).JSON(t, &confirmed)
	return app, confirmed.BackupCodes
}

// Code moves the clock to the next code, because each works once, and returns it.
func (a *App) Code(t testing.TB) string {
	t.Helper()
	a.server.Clock.Advance(30 * time.Second)
	code, err := totp.Code(a.secret, a.server.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}
