package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

// The servers under test run in a process of their own: its memory and its garbage are not those of the load.
const childArg = "child"

// hello is the child's first line: where what is served.
type hello struct {
	Bare, Engine, Uncached string // addresses
	Redis, RedisCached     string // addresses, "" where there is no Redis
	RedisCookies           []string
	Cookies, Bearers, Keys []string
	Families               []string
	PID                    int
}

type worker struct {
	hello
	cmd   *exec.Cmd
	stdin io.WriteCloser
	dir   string
}

func startChild() (*worker, error) {
	dir, err := os.MkdirTemp("", "ostiary-bench-")
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(exe, childArg, dir), dir: dir}
	w.cmd.Stderr = os.Stderr
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReaderSize(out, 1<<20).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("child: %w", err)
	}
	return w, json.Unmarshal(line, &w.hello)
}

func (w *worker) close() {
	_ = w.stdin.Close()
	_ = w.cmd.Wait()
	_ = os.RemoveAll(w.dir)
}

// families is how many refresh families the child prepares.
const families = 16

// child serves until its standard input ends.
func child() error {
	ctx := context.Background()
	dir := os.Args[2]
	db, err := sqlite.Open(ctx, filepath.Join(dir, "bench.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	h := hello{PID: os.Getpid()}
	listeners := make([]net.Listener, 3)
	for i := range listeners {
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	h.Bare, h.Engine, h.Uncached = addr(listeners[0]), addr(listeners[1]), addr(listeners[2])
	key, err := ostiary.NewKey()
	if err != nil {
		return err
	}
	keys, err := apikey.New(apikey.Config{})
	if err != nil {
		return err
	}
	auth, err := engine(ctx, h.Engine, db, key, ostiary.SessionConfig{}, keys)
	if err != nil {
		return err
	}
	defer auth.Close()
	reading, err := engine(ctx, h.Engine, db, key, ostiary.SessionConfig{Uncached: true})
	if err != nil {
		return err
	}
	defer reading.Close()
	if err := prepare(ctx, auth, keys, &h); err != nil {
		return err
	}
	stop, err := serveFromRedis(ctx, dir, db, key, &h)
	if err != nil {
		return err
	}
	defer stop()
	go serve(listeners[0], bareHandler)
	go serve(listeners[1], withProtected(auth))
	go serve(listeners[2], withProtected(reading))
	if err := json.NewEncoder(os.Stdout).Encode(h); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func addr(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}

func serve(l net.Listener, h http.Handler) {
	_ = (&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

func engine(ctx context.Context, host string, db store.Store, key ostiary.Key, sessions ostiary.SessionConfig, parts ...ostiary.Part) (*ostiary.Auth, error) {
	return engineOn(ctx, host, db, nil, key, sessions, parts...)
}

// engineOn keeps sessions in volatile, or in db where that is nil.
func engineOn(ctx context.Context, host string, db store.Store, volatile store.Volatile, key ostiary.Key, sessions ostiary.SessionConfig, parts ...ostiary.Part) (*ostiary.Auth, error) {
	return ostiary.New(ctx, ostiary.Config{
		URL: "http://" + host, Store: db, Volatile: volatile, Key: key, Sessions: sessions, InsecureNoRateLimits: true, Methods: []ostiary.Method{door{}},
		Parts: parts,
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// door signs in whoever knocks: the benchmark needs sessions, not passwords.
type door struct{}

type knock struct {
	ostiary.Deliver
	Email string `json:"email"`
}

func (door) Name() string { return "door" }

func (door) Routes(k *ostiary.Kit) ([]ostiary.Route, error) {
	return []ostiary.Route{{Name: "door", Pattern: "POST /door", Access: ostiary.Public, Serve: ostiary.Prove(
		func(ctx context.Context, c *ostiary.Call, in *knock) (ostiary.Proof, error) {
			u, err := k.UserByEmail(ctx, in.Email)
			if err != nil {
				err = k.Do(ctx, c, func(t *ostiary.Tx) error {
					u, err = t.CreateUser(ctx, ostiary.NewUser{Email: in.Email})
					return err
				})
			}
			return ostiary.Proof{UserID: u.ID, AMR: []string{"door"}}, err
		},
	)}}, nil
}

// withProtected is what an embedder builds: his own route behind Require.
func withProtected(auth *ostiary.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", auth)
	mux.Handle("GET /protected", auth.Require()(bareHandler))
	return mux
}
