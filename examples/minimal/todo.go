package main

import (
	"html/template"
	"log"
	"net/http"
	"strings"
	"sync"

	"github.com/ostiary/ostiary"
)

// The limits of a list.
const (
	maxItems = 100
	maxItem  = 200 // bytes
)

// list keeps everybody's things to do while the program runs.
type list struct {
	mu    sync.Mutex
	items map[string][]string // by user ID
}

func welcome(w http.ResponseWriter, _ *http.Request) {
	write(w, `<p><a href="/auth/login?return_to=/todo">Sign in</a> or <a href="/auth/signup?return_to=/todo">sign up</a> to see what there is to do.</p>`, nil)
}

func (l *list) show(w http.ResponseWriter, r *http.Request) {
	user := ostiary.UserFrom(r.Context())
	l.mu.Lock()
	items := l.items[user.ID]
	l.mu.Unlock()
	write(w, `<p>Signed in as <b>{{.User.Email}}</b>. <a href="/auth/account">Account</a> <a href="/auth/logout">Sign out</a></p>
<ul>{{range .Items}}<li>{{.}}</li>{{else}}<li>Nothing to do.</li>{{end}}</ul>
<form method="post"><label>To do: <input name="item" maxlength="200" required></label> <button>Add</button></form>`, map[string]any{"User": user, "Items": items})
}

func (l *list) add(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	item := strings.TrimSpace(r.PostFormValue("item"))
	if item == "" || len(item) > maxItem {
		http.Error(w, "Say what is to be done, in at most 200 bytes.", http.StatusBadRequest)
		return
	}
	id := ostiary.UserFrom(r.Context()).ID
	l.mu.Lock()
	if len(l.items[id]) < maxItems {
		l.items[id] = append(l.items[id][:len(l.items[id]):len(l.items[id])], item)
	}
	l.mu.Unlock()
	http.Redirect(w, r, "/todo", http.StatusSeeOther)
}

// write fills in a page.
func write(w http.ResponseWriter, body string, data any) {
	page, err := template.New("page").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>To do</title><h1>To do</h1>` + body)
	if err == nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		err = page.Execute(w, data)
	}
	if err != nil {
		log.Print(err)
	}
}
