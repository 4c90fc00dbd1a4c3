package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // scripts damage and lock databases
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ostiary": func() { os.Exit(run()) }})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", Setup: setup, Condition: condition, RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"ready": ready, "http": request, "within": within, "field": field, "mode": mode, "gone": gone, "sql": statement,
			"hold": hold, "begin": begin, "finish": finish, "tail": tail, "fails": fails, "damage": damage,
		},
	})
}

// world is what the commands of one script share.
type world struct {
	url     string
	client  *http.Client
	pending net.Conn
}

type worldKey struct{}

// setup gives every script a port of its own, and hashes that cost little.
func setup(env *testscript.Env) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	w := &world{url: "http://localhost:" + port, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
	env.Values[worldKey{}] = w
	env.Vars = append(env.Vars, "LISTEN="+address, "URL="+w.url, "OSTIARY_LISTEN="+address, "OSTIARY_PASSWORD_HASH=argon2id:m=7168,t=5,p=1")
	return l.Close()
}

// condition knows [namespaces]: whether a process may mount what only it sees.
func condition(name string) (bool, error) {
	if name != "namespaces" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return exec.Command("unshare", "-Urm", "true").Run() == nil, nil
}

func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// fails runs a program that must end with an exit code: fails CODE PROGRAM ARGUMENTS…
func fails(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if failed := new(exec.ExitError); !errors.As(err, &failed) || strconv.Itoa(failed.ExitCode()) != args[0] {
		ts.Fatalf("want exit code %s, got: %v", args[0], err)
	}
}

// ready waits until the server answers: ready
func ready(ts *testscript.TestScript, _ bool, _ []string) {
	poll(ts, "GET", "/readyz", 200, 20*time.Second)
}

// within waits for an answer: within SECONDS METHOD PATH STATUS
func within(ts *testscript.TestScript, _ bool, args []string) {
	limit, err := time.ParseDuration(args[0] + "s")
	ts.Check(err)
	status, err := strconv.Atoi(args[3])
	ts.Check(err)
	poll(ts, args[1], args[2], status, limit)
}

func poll(ts *testscript.TestScript, method, path string, want int, limit time.Duration) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	got, deadline := 0, time.Now().Add(limit)
	for time.Now().Before(deadline) {
		if got, _ = send(ts, method, path, ""); got == want {
			return
		}
		<-tick.C
	}
	ts.Fatalf("%s %s answered %d, not %d within %s", method, path, got, want, limit)
}

// request sends one request with the script's cookies: http METHOD PATH STATUS [JSON]
func request(ts *testscript.TestScript, _ bool, args []string) {
	body := ""
	if len(args) > 3 {
		body = args[3]
	}
	got, answer := send(ts, args[0], args[1], body)
	fmt.Fprint(ts.Stdout(), answer)
	if strconv.Itoa(got) != args[2] {
		ts.Fatalf("%s %s answered %d, not %s: %s", args[0], args[1], got, args[2], answer)
	}
}

func send(ts *testscript.TestScript, method, path, body string) (int, string) {
	w := of(ts)
	r, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	ts.Check(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// field takes a value out of the JSON of the last command: field VARIABLE items.0.id
func field(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for part := range strings.SplitSeq(args[1], ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[part]
		case []any:
			i, err := strconv.Atoi(part)
			ts.Check(err)
			v = in[i]
		}
	}
	if v == nil {
		ts.Fatalf("there is no %s", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

// tail takes what follows a mark in a file: tail VARIABLE FILE MARK
func tail(ts *testscript.TestScript, _ bool, args []string) {
	_, after, found := strings.Cut(ts.ReadFile(args[1]), args[2])
	if !found {
		ts.Fatalf("%s does not hold %q", args[1], args[2])
	}
	ts.Setenv(args[0], strings.TrimSpace(after))
}

// mode compares permissions: mode 0600 FILE…
func mode(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, not %s", name, got, args[0])
		}
	}
}

// gone waits until a file is no more: gone FILE
func gone(ts *testscript.TestScript, _ bool, args []string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-tick.C {
		if _, err := os.Stat(ts.MkAbs(args[0])); os.IsNotExist(err) {
			return
		}
	}
	ts.Fatalf("%s is still there", args[0])
}

// statement changes a database behind the program's back: sql FILE STATEMENT
func statement(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(err)
	ts.Check(db.Close())
}

// hold keeps the write lock of a database until the script ends: hold FILE
func hold(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec("BEGIN IMMEDIATE")
	ts.Check(err)
	ts.Defer(func() { _ = db.Close() })
}

const halfRequest = "POST /api/v1/login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"

const loginBody = `{"email":"nobody@example.com","password":"no such password"}`

// begin sends the head of a request, which keeps the server busy: begin
func begin(ts *testscript.TestScript, _ bool, _ []string) {
	w := of(ts)
	host := strings.TrimPrefix(w.url, "http://")
	conn, err := net.Dial("tcp", ts.Getenv("LISTEN"))
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, halfRequest, host, len(loginBody))
	ts.Check(err)
	const goOn = "HTTP/1.1 100 Continue\r\n\r\n" // the server says so when the request is being served
	ts.Check(conn.SetReadDeadline(time.Now().Add(10 * time.Second)))
	_, err = io.ReadFull(conn, make([]byte, len(goOn)))
	ts.Check(err)
	ts.Check(conn.SetReadDeadline(time.Time{}))
	_, err = io.WriteString(conn, loginBody[:10])
	ts.Check(err)
	w.pending = conn
}

// finish waits until nobody new is let in, sends the rest of the request, and prints the answer: finish
func finish(ts *testscript.TestScript, _ bool, _ []string) {
	w := of(ts)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		conn, err := net.Dial("tcp", ts.Getenv("LISTEN"))
		if err != nil {
			break
		}
		ts.Check(conn.Close())
		if time.Now().After(deadline) {
			ts.Fatalf("the server still lets people in")
		}
	}
	_, err := io.WriteString(w.pending, loginBody[10:])
	ts.Check(err)
	answer, err := io.ReadAll(w.pending)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), string(answer))
}
