package sqlstore

import (
	"errors"
	"strings"

	"github.com/ostiary/ostiary/store"
)

// where collects the conditions of a query; values are always parameters.
type where struct {
	conditions []string
	args       []any
}

func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) text() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(w.conditions, ` AND `)
}

// page is the limit of a listing for people.
func page(limit int) int {
	if limit < 1 || limit > 1000 {
		return 1000
	}
	return limit
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func ignore(Scan) error { return nil }

// absent turns "there is one" into ErrConflict and "there is none" into success.
func absent(err error) error {
	switch {
	case err == nil:
		return store.ErrConflict
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return err
}

// idempotent forgives that there is nothing to delete.
func idempotent(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
