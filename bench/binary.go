package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// binary is the product itself, as a user runs it.
type binary struct {
	path string
	dir  string // holds the binary and the data directory
	addr string
	cmd  *exec.Cmd
}

// buildBinary compiles the product as a release does.
func buildBinary() (*binary, error) {
	dir, err := os.MkdirTemp("", "ostiary-bench-")
	if err != nil {
		return nil, err
	}
	b := &binary{path: filepath.Join(dir, "ostiary"), dir: dir}
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", b.path, "github.com/ostiary/ostiary/cmd/ostiary")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.addr = addr(l)
	return b, l.Close()
}

func (b *binary) data() string { return filepath.Join(b.dir, "data") }

// start runs serve and waits until it is ready; it returns how long that took.
func (b *binary) start(flags ...string) (time.Duration, error) {
	listen := strings.Replace(b.addr, "localhost", "127.0.0.1", 1)
	args := append([]string{"serve", "--listen", listen, "--data", b.data(), "--insecure-no-rate-limits", "--log-level", "error"}, flags...)
	b.cmd = exec.Command(b.path, args...)
	b.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := b.cmd.Start(); err != nil {
		return 0, err
	}
	for time.Since(began) < 10*time.Second {
		if c, err := dial(listen); err == nil {
			status, _, err := c.roundTrip(get(b.addr, "/readyz"))
			_ = c.Close()
			if err == nil && status == http.StatusOK {
				return time.Since(began), nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return 0, errors.New("the server did not become ready within 10 s")
}

// kill ends it as a power cut would.
func (b *binary) kill() {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

func (b *binary) stop() error {
	if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return b.cmd.Wait()
}

// close leaves nothing behind, not even a server whose check has failed.
func (b *binary) close() {
	if b.cmd != nil && b.cmd.ProcessState == nil {
		b.kill()
	}
	_ = os.RemoveAll(b.dir)
}

// run executes a command of the product on the data directory.
func (b *binary) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, b.path, append(args, "--data", b.data())...)
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

// memory reads a field of the process's status, in MiB: "VmRSS", "VmHWM".
func (b *binary) memory(field string) float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	text, _ := io.ReadAll(f)
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}
