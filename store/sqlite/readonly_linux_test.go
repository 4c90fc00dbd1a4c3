package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/ostiary/ostiary/store/sqlite"
)

func TestReadOnly(t *testing.T) {
	t.Parallel()
	const nobody = 65534
	for name, prepare := range map[string]func(path string) error{
		"file":      func(path string) error { return os.Chmod(path, 0o444) },
		"directory": func(path string) error { return os.Remove(path) },
		"private":   func(path string) error { return os.Chmod(path, 0o400) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "db")
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Dir(path)
			err = errors.Join(prepare(path), os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o555))
			if err != nil {
				t.Fatal(err)
			}
			answer := make(chan error)
			go func() {
				// Root may write everything, so this thread becomes somebody else; it ends with the goroutine.
				runtime.LockOSThread()
				if os.Getuid() == 0 {
					syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
				}
				s, err := sqlite.Open(t.Context(), path)
				if err == nil {
					s.Close()
				}
				answer <- err
			}()
			err = <-answer
			if err := os.Chmod(dir, 0o755); err != nil { // so that the directory can be removed
				t.Fatal(err)
			}
			if !errors.Is(err, sqlite.ErrReadOnly) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error is %q, want one line of ErrReadOnly", err)
			}
		})
	}
}
