package keys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// OpenMaster reads the master keys from a file, and makes the file with one new key when it is missing. Of any number of
// processes that do so at once, all get the same key: a file appears under its name only when it is whole and on disk,
// and never replaces another.
func OpenMaster(path string) (Master, error) {
	m, err := LoadMaster(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	if err := createMaster(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Master{}, fmt.Errorf("create master key: %w", err)
	}
	return LoadMaster(path)
}

// LoadMaster reads the master keys from a file. A mode that lets anybody but the owner in is refused (R42); a missing
// file is fs.ErrNotExist.
func LoadMaster(path string) (Master, error) {
	text, err := readPrivate(path)
	if err != nil {
		return Master{}, fmt.Errorf("load master key: %w", err)
	}
	m, err := ParseMaster(text)
	if err != nil {
		return Master{}, fmt.Errorf("load master key from %s: %w", path, err)
	}
	return m, nil
}

func readPrivate(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path) // before opening it: a pipe would wait for ever
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkMode(path, info.Mode()); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxMasterText+1))
}

// checkMode is for systems that have modes: Windows reports 0666 for every file and protects by lists.
func checkMode(path string, mode fs.FileMode) error {
	if runtime.GOOS == "windows" || mode.Perm()&0o077 == 0 {
		return nil
	}
	return fmt.Errorf("%s has mode %04o, so others can read the master key; fix it with: chmod 600 %s", path, mode.Perm(), path)
}

// createMaster writes beside the file and links the result to its name, which is atomic and fails with fs.ErrExist when
// another process was first.
func createMaster(path string) error {
	m, err := NewMaster()
	if err != nil {
		return err
	}
	temporary, err := writeTemporary(filepath.Dir(path), m.Text())
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	if err := os.Link(temporary, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// writeTemporary relies on os.CreateTemp for mode 0600 and O_EXCL.
func writeTemporary(dir string, text []byte) (string, error) {
	f, err := os.CreateTemp(dir, ".master-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
