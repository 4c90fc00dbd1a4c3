package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
)

// What an operator can do something about.
var (
	// ErrNewer says that a newer version of the software changed the schema.
	ErrNewer = errors.New("use a newer ostiary")
	// ErrCorrupt says that the file is damaged or no SQLite database.
	ErrCorrupt = errors.New("file is damaged or not an SQLite database")
	// ErrReadOnly says that the file or its directory cannot be written.
	ErrReadOnly = errors.New("file or directory is not writable")
	// ErrBusy says that another process held the lock for longer than 5 seconds.
	ErrBusy = errors.New("database is locked by another process")
	// ErrFull says that the disk is full. Nothing of the operation was written.
	ErrFull = errors.New("disk is full")
)

// The primary result codes of SQLite, https://sqlite.org/rescode.html.
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
	codeShmSize  = 10 | 19<<8 // there was no room for the file that readers and writers share
)

// explain puts the sentinel that fits around an error of the driver. What it explained before stays as it is.
func explain(err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return wrap(ErrReadOnly, err)
		}
		return err
	}
	if failure.Code() == codeShmSize {
		return wrap(ErrFull, err)
	}
	switch failure.Code() & 0xff {
	case codeBusy, codeLocked:
		return wrap(ErrBusy, err)
	case codeReadOnly:
		return wrap(ErrReadOnly, err)
	case codeCorrupt, codeNotADB:
		return wrap(ErrCorrupt, err)
	case codeFull:
		return wrap(ErrFull, err)
	}
	return err
}

// explainOpen also takes a file that cannot be opened for one without permission. Later the same code may mean that the
// process has too many open files.
func explainOpen(err error) error {
	var failure *sqlite.Error
	if errors.As(err, &failure) && failure.Code()&0xff == codeCantOpen {
		return wrap(ErrReadOnly, err)
	}
	return explain(err)
}

func wrap(sentinel, err error) error {
	if errors.Is(err, sentinel) {
		return err
	}
	return fmt.Errorf("%w (%w)", sentinel, err)
}
