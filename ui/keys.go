package ui

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// keyView is a key that a program signs in with.
type keyView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Prefix    string     `json:"prefix"`
	Scopes    []string   `json:"scopes"`
	Expires   *time.Time `json:"expires_at"`
	Used      *time.Time `json:"last_used_at"`
	Suspended bool       `json:"suspended"` // until its owner says that it is his
	Key       string     `json:"key"`       // once
}

func keyForm() form {
	return form{name: "makekey", route: "apikeys.create", inputs: []input{
		{Name: "name", Label: "Name", Type: "text", Auto: "off", Hint: "What it is for: “Backup script”."},
		{Name: "days", Label: "Works for", Type: "text", Choices: []pair{{"30 days", "30"}, {"90 days", "90"}, {"One year", "365"}, {"Until you switch it off", "0"}}},
		{Name: "scope", Label: "May do", Type: "text", Auto: "off", Optional: true, Hint: "Permissions with spaces between them, like “todos:read notes:*”. Left empty: read everything, change nothing."},
	}, extra: []string{"expires_at", "scopes"}}
}

// fillKey turns what people choose into what the route takes.
func (v *visit) fillKey() {
	values := v.r.PostForm
	values.Del("expires_at")
	values["scopes"] = strings.Fields(values.Get("scope"))
	if len(values["scopes"]) == 0 {
		values.Del("scopes")
	}
	if days, err := strconv.Atoi(values.Get("days")); err == nil && days > 0 && days <= 366 {
		values.Set("expires_at", v.p.engine.Now().Add(time.Duration(days)*24*time.Hour).UTC().Format(time.RFC3339))
	}
}

// madeKey shows a new key: the only time that anybody sees it.
func (v *visit) madeKey(out any) error {
	var made keyView
	if err := reshape(out, &made); err != nil {
		return err
	}
	v.secret()
	return v.show(http.StatusOK, "key", made)
}
