package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/sqlite"
)

// childPath makes the test binary a process that writes until it is killed.
const childPath = "OSTIARY_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := child(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	for w := range 8 {
		group.Go(func() {
			for i := range 100_000 {
				name := fmt.Sprintf("%d-%d", w, i)
				if s.Registry().Put(ctx, store.Record{Kind: "k", ID: name}) == nil {
					mu.Lock()
					fmt.Println(name) // acknowledged
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return nil
}

func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		names = append(names, lines.Text())
		if len(names) == 300 {
			_ = cmd.Process.Kill() // what is in the pipe was acknowledged, too
		}
	}
	_ = cmd.Wait()
	if len(names) < 300 {
		t.Fatalf("the child acknowledged %d writes", len(names))
	}
	s := open(t, path)
	for _, name := range names[:len(names)-1] { // the last line may be cut
		if _, err := s.Registry().Get(t.Context(), "k", name); err != nil {
			t.Fatalf("write %s was acknowledged: %v", name, err)
		}
	}
}

func TestOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Log().Append(t.Context(), store.Entry{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	_, head, err := open(t, path).Log().After(t.Context(), 0, 1)
	if err != nil || head.Seq != 8 {
		t.Fatalf("the log is at %d, want 8 (error %v)", head.Seq, err)
	}
}

func TestFilesAreOurs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "odd name?#%41&.db")
	s := open(t, path)
	if err := s.Log().Append(t.Context(), store.Entry{}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-migrate"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%q has mode %v", suffix, info.Mode())
		}
	}
	for name, path := range map[string]string{
		"no directory": filepath.Join(t.TempDir(), "missing", "db"), "a directory": t.TempDir(),
	} {
		if s, err := sqlite.Open(t.Context(), path); err == nil {
			s.Close()
			t.Errorf("%s was opened", name)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  error
		text  string
	}{
		"newer version": {
			func(t *testing.T, path string) {
				foreign(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, 1)`)
			},
			sqlite.ErrNewer, "database schema is version 7, this build knows up to 1: use a newer ostiary",
		},
		"not a database": {
			func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("not a database ", 1000))) },
			sqlite.ErrCorrupt, sqlite.ErrCorrupt.Error(),
		},
		"damaged": {
			func(t *testing.T, path string) {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				for i := 100; i < len(b); i++ {
					b[i] = 0xa5
				}
				write(t, path, b)
			},
			sqlite.ErrCorrupt, sqlite.ErrCorrupt.Error(),
		},
		"locked": {
			func(t *testing.T, path string) { foreign(t, path, `BEGIN IMMEDIATE`) },
			sqlite.ErrBusy, sqlite.ErrBusy.Error(),
		},
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
			c.spoil(t, path)
			s, err = sqlite.OpenImpatient(t.Context(), path, 10*time.Millisecond)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error is %q, want one line with %q", err, c.text)
			}
		})
	}
}

// foreign runs a statement as another process would, and keeps its connection until the end of the test.
func foreign(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
