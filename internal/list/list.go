// Package list is how every list of the JSON API is asked for and answered: a limit, a cursor, a page of items. It knows
// nothing of what is listed.
package list

import (
	"net/http"
	"strconv"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

// The bounds of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 100
)

// Query is embedded by the inputs of routes that list.
type Query struct {
	Limit  *int   `query:"limit" jsonschema:"How many items to return, 1 to 100. Default 50."`
	Cursor string `query:"cursor" jsonschema:"The next_cursor of the page before."`
}

// Answer is one page.
type Answer[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor" jsonschema:"Where the next page begins; empty after the last one."`
}

// Size is the number of items that were asked for. invalid_request.
func (q Query) Size() (int, error) {
	if q.Limit == nil {
		return DefaultLimit, nil
	}
	if *q.Limit < 1 || *q.Limit > MaxLimit {
		return 0, Wrong("query.limit", "must be 1 to 100")
	}
	return *q.Limit, nil
}

// AfterID is the cursor of a list in order of IDs. invalid_request.
func (q Query) AfterID() (string, error) {
	if q.Cursor != "" && !store.ValidID(q.Cursor) {
		return "", wrongCursor()
	}
	return q.Cursor, nil
}

// Before is the cursor of a list in order of sequence numbers, newest first; 0: from the newest. invalid_request.
func (q Query) Before() (int64, error) {
	if q.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(q.Cursor, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != q.Cursor {
		return 0, wrongCursor()
	}
	return n, nil
}

func wrongCursor() error {
	return Wrong("query.cursor", "must be the next_cursor of an earlier answer")
}

// Wrong says where the input is wrong.
func Wrong(location, message string) *ostiary.Error {
	return ostiary.Fail(http.StatusBadRequest, "invalid_request", "The request is not valid.").At(location, message)
}

// Page shows at most size rows. The caller asked its store for one more, so that it is known whether there is another page;
// cursor names the place of a row.
func Page[R, T any](rows []R, size int, cursor func(R) string, show func(R) T) Answer[T] {
	a := Answer[T]{Items: make([]T, 0, min(size, len(rows)))}
	if len(rows) > size {
		rows = rows[:size]
		a.NextCursor = cursor(rows[size-1])
	}
	for _, r := range rows {
		a.Items = append(a.Items, show(r))
	}
	return a
}
