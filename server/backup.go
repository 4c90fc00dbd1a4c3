package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ostiary/ostiary/internal/backup"
	"github.com/ostiary/ostiary/store/sqlite"
)

// BackupReport says what [Backup] wrote, or what [Restore] brought back.
type BackupReport struct {
	File    string    `json:"file"`
	Created time.Time `json:"created"` // everything that was acknowledged before is inside
	Schema  int64     `json:"schema"`
	Size    int64     `json:"size"` // of the database, in bytes
	Keys    []string  `json:"keys"` // IDs of the master keys that are needed
	Old     string    `json:"old,omitempty"`
}

// Backup writes a copy of the database into one file of mode 0600, sealed under the master key, which is not inside (R42).
// A server may run meanwhile. An existing file is left alone unless overwrite. SQLite only; of others the error says how.
func Backup(ctx context.Context, cfg Config, file string, overwrite bool) (BackupReport, error) {
	if err := cfg.Check(); err != nil {
		return BackupReport{}, err
	}
	cfg = cfg.complete()
	if err := cfg.elsewhere("back it up with its own tools: "); err != nil {
		return BackupReport{}, err
	}
	if _, err := os.Lstat(file); err == nil && !overwrite {
		return BackupReport{}, existing(file)
	}
	m, err := cfg.manifest(ctx)
	if err != nil {
		return BackupReport{}, err
	}
	copied, err := cfg.snapshot(ctx)
	if err != nil {
		return BackupReport{}, err
	}
	err = cfg.seal(copied, file, overwrite, &m)
	if err = errors.Join(err, os.Remove(copied)); err != nil {
		return BackupReport{}, err
	}
	return BackupReport{File: file, Created: m.Created, Schema: m.Schema, Size: m.Size, Keys: m.Keys}, nil
}

func existing(file string) error {
	return fmt.Errorf("%s exists: name another file, or overwrite it with --force", file)
}

// elsewhere says how a database is copied that is not a file.
func (c Config) elsewhere(verb string) error {
	switch c.DB.scheme() {
	case "postgres":
		return errors.New("the database is a PostgreSQL server; " + verb + "pg_dump --format=custom --file=FILE, and pg_restore --clean --if-exists; then run: ostiary restore --in-place")
	case "mysql":
		return errors.New("the database is a MySQL or MariaDB server; " + verb + "mysqldump --single-transaction, and mysql; then run: ostiary restore --in-place")
	}
	return nil
}

// manifest finds out, without a change, whether there is a database that this build and this master key can use.
func (c Config) manifest(ctx context.Context) (m backup.Manifest, err error) {
	if !exists(c.DB.path()) {
		return m, fmt.Errorf("%w: %s does not exist", ErrNoData, c.DB.name())
	}
	version, known, err := c.schema(ctx)
	if err != nil {
		return m, err
	}
	if version != known {
		return m, fmt.Errorf("the database has schema %d and this build knows %d: use the ostiary that serves it", version, known)
	}
	m = backup.Manifest{Database: "sqlite", Schema: version, Created: time.Now().UTC().Truncate(time.Second), Version: c.Version}
	s, err := Open(ctx, c) // so the key is known to be the one
	if err != nil {
		return m, err
	}
	if err := s.Close(); err != nil {
		return m, err
	}
	key, err := c.key()
	m.Keys = key.IDs()
	return m, err
}

// snapshot copies the database beside itself, where what it holds is as safe as it was.
func (c Config) snapshot(ctx context.Context) (string, error) {
	path := c.DB.path()
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-backup-*") // mode 0600
	if err != nil {
		return "", plainPath(err)
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	name, err := filepath.Abs(f.Name())
	if err == nil {
		err = sqlite.Snapshot(ctx, path, name)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return name, nil
}

// seal writes the backup under a name of its own, and gives it the right one when it is on disk.
func (c Config) seal(copied, file string, overwrite bool, m *backup.Manifest) error {
	body, err := os.Open(copied)
	if err != nil {
		return plainPath(err)
	}
	defer body.Close()
	sum := sha256.New()
	if m.Size, err = io.Copy(sum, body); err != nil {
		return plainPath(err)
	}
	m.SHA256 = fmt.Sprintf("%x", sum.Sum(nil))
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return plainPath(err)
	}
	key, err := c.backupKey(m.Keys)
	if err != nil {
		return err
	}
	return writeWhole(file, overwrite, func(w io.Writer) error { return backup.Write(w, *m, key, body) })
}

// backupKey is what a backup is sealed with, if we have all the master keys that it needs.
func (c Config) backupKey(ids []string) (first [32]byte, err error) {
	key, err := c.key()
	if err != nil {
		return first, err
	}
	for i, id := range ids {
		derived, ok := key.Derive(id, backup.Purpose)
		if !ok {
			return first, fmt.Errorf("the backup needs the master key %s, which is not among yours: bring that one back", id)
		}
		if i == 0 {
			first = derived
		}
	}
	return first, nil
}

// writeWhole makes a file of mode 0600 that is there as a whole or not at all.
func writeWhole(path string, overwrite bool, write func(io.Writer) error) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return plainPath(err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return plainPath(err)
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = place(f.Name(), path, overwrite)
	}
	if err != nil {
		err = plainPath(err)
		if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return err
	}
	return syncDir(filepath.Dir(path))
}

// place renames a file. A link, unlike a rename, never replaces what somebody else has put there meanwhile; where the file
// system has no links, the last look has to do.
func place(from, to string, overwrite bool) error {
	if overwrite {
		return os.Rename(from, to)
	}
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return existing(to)
	}
	if err == nil {
		return os.Remove(from)
	}
	if _, err := os.Lstat(to); err == nil {
		return existing(to)
	}
	return os.Rename(from, to)
}

// syncDir makes a rename survive a power cut, where the system can do that.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return plainPath(err)
	}
	_ = d.Sync() // Windows and some network file systems know no such thing
	return d.Close()
}
