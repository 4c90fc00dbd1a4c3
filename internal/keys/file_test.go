package keys_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ostiary/ostiary/internal/keys"
)

func TestOpenMasterCreates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	if _, err := keys.LoadMaster(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loading a missing file: %v", err)
	}
	made, err := keys.OpenMaster(path)
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
	again, err := keys.LoadMaster(path)
	must(t, err)
	if again.ID() != made.ID() {
		t.Error("another key was read than was made")
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 1 {
		t.Errorf("files left behind: %v", left)
	}
}

func TestOpenMasterRace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	ids := make([]keys.KeyID, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			m, err := keys.OpenMaster(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = m.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("different keys: %v", ids)
		}
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 1 {
		t.Errorf("files left behind: %v", left)
	}
}

func TestR42_LooseModesAreRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	for _, test := range []struct {
		mode fs.FileMode
		ok   bool
	}{{0o600, true}, {0o400, true}, {0o640, false}, {0o604, false}, {0o660, false}, {0o644, false}, {0o601, false}, {0o777, false}} {
		path := filepath.Join(t.TempDir(), "master.key")
		must(t, os.WriteFile(path, newMaster(t).Text(), 0o600))
		must(t, os.Chmod(path, test.mode))
		_, err := keys.OpenMaster(path)
		if (err == nil) != test.ok {
			t.Errorf("%04o: %v", test.mode, err)
		}
		if err != nil && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%04o: the error does not say how to fix it: %v", test.mode, err)
		}
	}
}

func TestOpenMasterReplacesNothing(t *testing.T) {
	t.Parallel()
	whole := string(newMaster(t).Text())
	for name, text := range map[string]string{"empty": "", "torn": whole[:17], "garbage": "\x00\x01\x02", "huge": strings.Repeat(whole, 2000)} {
		path := filepath.Join(t.TempDir(), "master.key")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		if _, err := keys.OpenMaster(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		after, err := os.ReadFile(path)
		must(t, err)
		if string(after) != text {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

func TestOpenMasterWantsAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := keys.OpenMaster(dir); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := keys.OpenMaster(filepath.Join(dir, "missing", "master.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}
