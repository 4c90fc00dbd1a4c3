package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/phc"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/store/sqlite"
)

const (
	benchAddress  = "ada@example.com"
	benchPassword = "correct horse battery staple"
)

// logins compares the CPU of a sign-in with a password to that of its hash alone, in one process.
func logins(s settings) error {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "ostiary-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.Open(ctx, filepath.Join(dir, "login.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	auth, err := passwordEngine(ctx, db)
	if err != nil {
		return err
	}
	defer auth.Close()
	if err := call(auth, "/api/v1/register", http.StatusCreated); err != nil {
		return err
	}
	encoded, err := phc.Default().Hash([]byte(benchPassword))
	if err != nil {
		return err
	}
	hash, login := &series{name: "bare hash"}, &series{name: "POST /api/v1/login"}
	const each = 10
	for range s.rounds {
		hash.add(cpuOf(each, func() { _, _ = phc.Verify(encoded, []byte(benchPassword)) }))
		login.add(cpuOf(each, func() { err = call(auth, "/api/v1/login", http.StatusOK) }))
		if err != nil {
			return err
		}
	}
	q := ratios(login, hash)
	fmt.Printf("CPU of a login: %.1f ms, of its bare hash: %.1f ms; ratio %.3f (aim ≤ 1.03)\n", median(login.vals), median(hash.vals), median(q))
	return nil
}

func passwordEngine(ctx context.Context, db *sqlite.Store) (*ostiary.Auth, error) {
	key, err := ostiary.NewKey()
	if err != nil {
		return nil, err
	}
	pw, err := password.New(password.Config{})
	if err != nil {
		return nil, err
	}
	return ostiary.New(ctx, ostiary.Config{URL: "http://localhost:1", Store: db, Key: key, InsecureNoRateLimits: true, Methods: []ostiary.Method{pw}})
}

func call(auth *ostiary.Auth, path string, want int) error {
	r := httptest.NewRequest("POST", "http://localhost:1"+path, strings.NewReader(fmt.Sprintf(`{"email":%q,"password":%q}`, benchAddress, benchPassword)))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	auth.ServeHTTP(rec, r)
	if rec.Code != want {
		return fmt.Errorf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return nil
}

// cpuOf is the CPU time of this process for one f, in milliseconds.
func cpuOf(n int, f func()) float64 {
	before := cpuTime()
	for range n {
		f()
	}
	return (cpuTime() - before).Seconds() * 1000 / float64(n)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
