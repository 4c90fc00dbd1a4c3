package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/backup"
	"github.com/ostiary/ostiary/store/sqlite"
)

// RestoreOptions say how far [Restore] goes.
type RestoreOptions struct {
	Overwrite    bool // an existing database, which is kept under its name and ".old"
	KeepSessions bool // those of the backup go on, also ones that were ended after it was made
}

// Restore puts the database of a backup in its place, and ends what must not come back with it (R21), before anybody can
// see it. Nothing is written before the right master key is there (R42). A crash leaves the old state or the new one.
func Restore(ctx context.Context, cfg Config, file string, o RestoreOptions) (BackupReport, error) {
	if err := cfg.Check(); err != nil {
		return BackupReport{}, err
	}
	cfg = cfg.complete()
	if err := cfg.elsewhere("bring it back with its own tools: "); err != nil {
		return BackupReport{}, err
	}
	f, err := openFile(file)
	if err != nil {
		return BackupReport{}, err
	}
	defer f.Close()
	m, key, err := cfg.matching(f)
	if err != nil {
		return BackupReport{}, fmt.Errorf("%s: %w", file, err)
	}
	if err := cfg.prepare(ctx); err != nil {
		return BackupReport{}, err
	}
	r := BackupReport{File: file, Created: m.Created, Schema: m.Schema, Size: m.Size, Keys: m.Keys}
	r.Old, err = cfg.replace(ctx, f, key, o)
	if errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrFormat) {
		err = fmt.Errorf("%s: %w; nothing was changed", file, err)
	}
	return r, err
}

// Restored is the second half of [Restore], for a database that was brought back by other means.
func Restored(ctx context.Context, cfg Config, o RestoreOptions) error {
	s, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	engine, call := s.Engine(ostiary.ActorCLI)
	return errors.Join(engine.Restored(ctx, call, o.KeepSessions), s.Close())
}

func openFile(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path) // opening a pipe would wait for ever
	}
	f, err := os.Open(path)
	return f, plainPath(err)
}

// matching refuses a backup that we could not use, from its head alone, and rewinds the file.
func (c Config) matching(f *os.File) (m backup.Manifest, key [32]byte, err error) {
	if m, err = backup.ReadManifest(f); err != nil {
		return m, key, err
	}
	known, err := sqlite.Known()
	if err != nil {
		return m, key, err
	}
	switch {
	case m.Database != "sqlite":
		return m, key, fmt.Errorf("the backup holds a database of another kind: %q", m.Database)
	case m.Schema > known:
		return m, key, fmt.Errorf("the backup has schema %d and this build knows up to %d: use a newer ostiary", m.Schema, known)
	}
	if key, err = c.backupKey(m.Keys); err != nil {
		return m, key, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return m, key, err
}

// replace does everything while nobody else has the database open. It returns where the old one is kept.
func (c Config) replace(ctx context.Context, file io.Reader, key [32]byte, o RestoreOptions) (old string, err error) {
	here, err := sqlite.OpenExclusive(ctx, c.DB.path())
	if errors.Is(err, sqlite.ErrBusy) {
		return "", errors.New("the database is in use: stop the server and every command, and try again")
	}
	if errors.Is(err, sqlite.ErrCorrupt) {
		return "", fmt.Errorf("%w; move it away, and try again", err)
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, here.Close()) }()
	empty, err := here.Empty(ctx)
	if err != nil {
		return "", err
	}
	if !empty && !o.Overwrite {
		return "", fmt.Errorf("there is a database already: with --force, %s is kept as %s.old", c.DB.path(), c.DB.path())
	}
	next := c.DB.path() + "-restore"
	defer func() { err = errors.Join(err, removeDatabase(next)) }()
	if err := c.unpack(ctx, next, file, key, o); err != nil {
		return "", err
	}
	if !empty {
		if old, err = c.keepOld(ctx, here); err != nil {
			return "", err
		}
	}
	return old, here.Replace(ctx, next)
}

// unpack makes a database of the backup beside the real one, and ends in it what must not come back.
func (c Config) unpack(ctx context.Context, path string, file io.Reader, key [32]byte, o RestoreOptions) error {
	if err := removeDatabase(path); err != nil { // of one that was killed
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return plainPath(err)
	}
	_, err = backup.Read(file, key, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	c.DB, c.Log = Location(sqliteScheme+path), slog.New(slog.DiscardHandler)
	return Restored(ctx, c, o)
}

// keepOld copies the database that is about to be replaced. One that was kept before is not touched.
func (c Config) keepOld(ctx context.Context, here *sqlite.Exclusive) (string, error) {
	old := c.DB.path() + ".old"
	if _, err := os.Lstat(old); err == nil {
		return "", fmt.Errorf("%s exists from an earlier time: move it away, and try again", old)
	}
	f, err := os.CreateTemp(filepath.Dir(old), "."+filepath.Base(old)+"-*") // mode 0600
	if err != nil {
		return "", plainPath(err)
	}
	err = f.Close()
	if err == nil {
		err = here.CopyTo(ctx, f.Name())
	}
	if err == nil {
		err = place(f.Name(), old, false)
	}
	if err != nil {
		if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return "", plainPath(err)
	}
	return old, syncDir(filepath.Dir(old))
}

// removeDatabase removes a database of ours that nobody has open, and what SQLite keeps beside it.
func removeDatabase(path string) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal", "-migrate", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return plainPath(err)
		}
	}
	return nil
}
