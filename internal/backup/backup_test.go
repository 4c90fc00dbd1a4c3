package backup_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/backup"
)

var key = sha256.Sum256([]byte("the key of these tests"))

const chunk = 64 << 10

func manifest(body []byte) backup.Manifest {
	return backup.Manifest{
		Database: "sqlite", Schema: 1, Created: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Version: "test", Keys: []string{"0a0b0c0d"},
		Size: int64(len(body)), SHA256: fmt.Sprintf("%x", sha256.Sum256(body)),
	}
}

func write(t testing.TB, body []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := backup.Write(&file, manifest(body), key, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3*chunk + 17} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			body := bytes.Repeat([]byte("ostiary"), size/7+1)[:size]
			file := write(t, body)
			var got bytes.Buffer
			m, err := backup.Read(bytes.NewReader(file), key, &got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(manifest(body), m); diff != "" || !bytes.Equal(got.Bytes(), body) {
				t.Errorf("got %d bytes back of %d; manifest (-want +got):\n%s", got.Len(), size, diff)
			}
		})
	}
}

func TestNothingIsReadable(t *testing.T) {
	t.Parallel()
	body := []byte(strings.Repeat("ada@example.com ", 100))
	file := write(t, body)
	if bytes.Contains(file, []byte("ada@")) || bytes.Contains(file, key[:]) {
		t.Error("the file shows what is inside")
	}
	if bytes.Equal(file, write(t, body)) {
		t.Error("two backups are sealed under the same key")
	}
}

// TestEveryChangeIsFound flips a bit at each place of the head and at many of the body, and cuts the file everywhere.
func TestEveryChangeIsFound(t *testing.T) {
	t.Parallel()
	file := write(t, bytes.Repeat([]byte{7}, 2*chunk+100))
	refused := func(what string, changed []byte, with [32]byte) {
		t.Helper()
		_, err := backup.Read(bytes.NewReader(changed), with, io.Discard)
		if !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrFormat) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	step := 1
	for i := 0; i < len(file); i += step {
		if i > 1000 {
			step = 4999
		}
		changed := bytes.Clone(file)
		changed[i] ^= 1
		refused(fmt.Sprintf("bit of byte %d", i), changed, key)
		refused(fmt.Sprintf("cut at %d", i), file[:i], key)
	}
	refused("one byte more", append(bytes.Clone(file), 0), key)
	refused("another file after it", append(bytes.Clone(file), file...), key)
	sealed := chunk + 16
	body := len(file) - 2*sealed - 116
	swapped := bytes.Clone(file)
	copy(swapped[body:], file[body+sealed:body+2*sealed])
	copy(swapped[body+sealed:], file[body:body+sealed])
	refused("two chunks exchanged", swapped, key)
	refused("the last chunk left out", file[:body+2*sealed], key)
	refused("the first chunk left out", append(bytes.Clone(file[:body]), file[body+sealed:]...), key)
	refused("another key", file, sha256.Sum256([]byte("another")))
	refused("an SQLite database", []byte("SQLite format 3\x00"+strings.Repeat("x", 4096)), key)
	refused("a later version", bytes.Replace(file, []byte("backup 1"), []byte("backup 2"), 1), key)
}

func TestManifestMustFit(t *testing.T) {
	t.Parallel()
	body := []byte("what is inside")
	for name, change := range map[string]func(*backup.Manifest){
		"shorter than said": func(m *backup.Manifest) { m.Size++ },
		"longer than said":  func(m *backup.Manifest) { m.Size-- },
		"other content":     func(m *backup.Manifest) { m.SHA256 = strings.Repeat("0", 64) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := manifest(body)
			change(&m)
			var file bytes.Buffer
			if err := backup.Write(&file, m, key, bytes.NewReader(body)); err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Read(&file, key, io.Discard); !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("got %v", err)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error)  { return 0, errBroken }
func (broken) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("the disk is broken")

func TestFaultsAreToldFromDamage(t *testing.T) {
	t.Parallel()
	file := write(t, []byte("body"))
	for name, err := range map[string]error{
		"reading the head":   second(backup.Read(broken{}, key, io.Discard)),
		"reading the body":   second(backup.Read(io.MultiReader(bytes.NewReader(file), broken{}), key, io.Discard)),
		"writing it back":    second(backup.Read(bytes.NewReader(file), key, broken{})),
		"reading the source": backup.Write(io.Discard, manifest(nil), key, broken{}),
		"writing the backup": backup.Write(broken{}, manifest(nil), key, strings.NewReader("")),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ backup.Manifest, err error) error { return err }

// FuzzRead: no file makes Read panic, take much memory or return what Write did not seal.
func FuzzRead(f *testing.F) {
	file := write(f, []byte("body"))
	f.Add(file)
	f.Add(file[:40])
	f.Add([]byte("ostiary backup 1\n\xff\xff\xff\xff"))
	f.Add([]byte("ostiary backup 1\n\x00\x00\x00\x02{}"))
	f.Fuzz(func(t *testing.T, changed []byte) {
		var out bytes.Buffer
		if _, err := backup.Read(bytes.NewReader(changed), key, &out); err == nil && out.String() != "body" {
			t.Errorf("opened something else: %q", out.String())
		}
	})
}
