package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ostiary/ostiary"
)

const setupLinkFile = "setup-link"

func (c Config) inData(name string) string { return filepath.Join(c.Data, name) }

const sqliteScheme = "sqlite:"

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// prepare makes the directories and, before there is a database, the master key. A key that is missing later is never
// replaced: nothing that is kept could be opened.
func (c Config) prepare(ctx context.Context) error {
	dirs := []string{c.Data}
	if path := c.DB.path(); path != "" {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make directory: %w", plainPath(err))
		}
	}
	if err := c.private(); err != nil || c.MasterKey != "" || exists(c.MasterKeyFile) {
		return err
	}
	if found, err := c.exists(ctx); err != nil || found {
		return err
	}
	_, err := ostiary.OpenKey(c.MasterKeyFile)
	return plainPath(err)
}

// private refuses a data directory or database that others can get at (R42). What does not exist is fine.
func (c Config) private() error {
	if err := private(c.Data, 0o700); err != nil {
		return err
	}
	if c.DB.path() == "" {
		return nil
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := private(c.DB.path()+suffix, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// private refuses a file or directory that anybody but its owner can get at, and says how to mend it.
func private(path string, want fs.FileMode) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return plainPath(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 { // Windows protects by lists, not by modes
		return fmt.Errorf("%s has mode %04o, so others can get at it; fix it with: chmod %o %s", path, info.Mode().Perm(), want, path)
	}
	return nil
}

// plainPath drops the name of the system call.
func plainPath(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}

// key reads the master keys.
func (c Config) key() (ostiary.Key, error) {
	if c.MasterKey != "" {
		return ostiary.ParseKey([]byte(c.MasterKey))
	}
	key, err := ostiary.LoadKey(c.MasterKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return key, fmt.Errorf("the master key %s is missing: bring it back, for without it nothing in the database can be opened", c.MasterKeyFile)
	}
	return key, err
}

// maxSecretFile bounds what is read of a file that should hold one line.
const maxSecretFile = 4 << 10

// readSecret reads the one line of a private file.
func readSecret(path string) (Secret, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path) // opening a pipe would wait for ever
	}
	if err := private(path, 0o600); err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", plainPath(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", plainPath(err)
	}
	line := strings.TrimSpace(string(text))
	if len(text) > maxSecretFile || line == "" || strings.ContainsAny(line, "\r\n") {
		return "", fmt.Errorf("%s does not hold exactly one line", path)
	}
	return Secret(line), nil
}

// writePrivate replaces a file as a whole, for its owner's eyes only.
func writePrivate(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return plainPath(err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
