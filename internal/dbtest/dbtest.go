// Package dbtest runs real database servers for tests: those that Debian packages, once for each test process, on loopback
// ports and in temporary directories. Each test gets a database of its own.
//
// Where a server is not installed a test is skipped, and fails when CI=true.
package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Servers are the servers of a test process. The zero value has none running. Stop it in TestMain.
type Servers struct {
	mu      sync.Mutex
	running []*Server
}

// Stop ends all servers and removes their files.
func (s *Servers) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.running {
		one.Kill()
		_ = os.RemoveAll(one.dir)
	}
	s.running = nil
}

// Main runs the tests of a package and stops the servers.
func (s *Servers) Main(m *testing.M) int {
	defer s.Stop()
	return m.Run()
}

// Server is one process on a port of 127.0.0.1.
type Server struct {
	Port int

	dir     string
	command []string
	ready   func(ctx context.Context, port int) error
	process *exec.Cmd
}

// Address is where it listens.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// Kill ends the process at once, as kill -9 does.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

// Start starts the process and waits until it answers.
func (s *Server) Start() error {
	logs, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer logs.Close()
	argv := unprivileged(s.command)
	s.process = exec.Command(argv[0], argv[1:]...)
	s.process.Dir, s.process.Stdout, s.process.Stderr = s.dir, logs, logs
	if err := s.process.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		err := s.ready(ctx, s.Port)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			written, _ := os.ReadFile(logs.Name())
			return fmt.Errorf("%s does not answer: %w\n%s", s.command[0], err, written)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// get returns the only server of a kind, made by the first test that asks.
func (s *Servers) get(t testing.TB, kept **Server, make func(dir string, port int) (*Server, error)) *Server {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if *kept != nil {
		return *kept
	}
	one, err := s.launch(make)
	if missing := new(missingError); errors.As(err, &missing) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	*kept = one
	return one
}

func (s *Servers) launch(make func(dir string, port int) (*Server, error)) (*Server, error) {
	dir, err := os.MkdirTemp("", "dbtest-*")
	if err != nil {
		return nil, err
	}
	if err := giveAway(dir); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	one, err := make(dir, port)
	if err == nil {
		one.Port, one.dir = port, dir
		s.running = append(s.running, one)
		err = one.Start()
	} else {
		_ = os.RemoveAll(dir)
	}
	return one, err
}

type missingError struct{ what string }

func (e *missingError) Error() string {
	return e.what + " is not installed; on Debian scripts/test installs it as root"
}

// find looks for a program in PATH and where Debian keeps those of servers.
func find(name string, places ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, pattern := range places {
		found, _ := filepath.Glob(filepath.Join(pattern, name))
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", &missingError{name}
}

// run runs a program that prepares a server.
func run(dir string, argv ...string) error {
	argv = unprivileged(argv)
	c := exec.Command(argv[0], argv[1:]...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
	}
	return nil
}

// nobody is whom servers run as that refuse to run as root.
const nobody = "nobody"

// unprivileged makes a command end with the test process, and never run as root.
func unprivileged(argv []string) []string {
	path, err := exec.LookPath("setpriv")
	if err != nil {
		return argv
	}
	prefix := []string{path}
	if os.Geteuid() == 0 {
		prefix = append(prefix, "--reuid", nobody, "--regid", "nogroup", "--clear-groups")
	}
	return append(append(prefix, "--pdeathsig", "KILL", "--"), argv...)
}

func giveAway(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	who, err := user.Lookup(nobody)
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	return os.Chown(dir, uid, gid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// name is that of a new database.
func name() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return "t" + hex.EncodeToString(b[:])
}
