package follow_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/follow"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/store/memory"
)

// A node that was cut off for longer than an entry lives would never hear of it, and keep a disabled person for ever.
func TestAttack_EntriesThatWereTrimmedUnread(t *testing.T) {
	t.Parallel()
	past := time.Unix(1, 0)
	short, long := store.Entry{Kind: store.KindChanged, ExpiresAt: past}, store.Entry{Kind: store.KindSession, ExpiresAt: time.Unix(1<<40, 0)}
	for name, missed := range map[string]struct {
		entries []store.Entry
		forget  bool
	}{
		"nothing happened":           {nil, false},
		"all are there":              {[]store.Entry{long, long}, false},
		"all are gone":               {[]store.Entry{short}, true},
		"the first one is gone":      {[]store.Entry{short, long}, true},
		"one in the middle is gone":  {[]store.Entry{long, short, long}, true},
		"the newest one is gone":     {[]store.Entry{long, short}, true},
		"more than a page, one gone": {append(append(many(long, 1500), short), many(long, 600)...), true},
		"more than a page":           {many(long, 2300), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, log := t.Context(), memory.New().Log()
			forgot, told := 0, 0
			f := follow.New(log, slog.New(slog.NewTextHandler(io.Discard, nil)), func(e []store.Entry) { told += len(e) }, func() { forgot++ })
			if err := log.Append(ctx, short); err != nil { // before the node began: nothing was cached then
				t.Fatal(err)
			}
			if err := f.Sync(ctx); err != nil {
				t.Fatal(err)
			}
			if err := log.Append(ctx, missed.entries...); err != nil {
				t.Fatal(err)
			}
			if _, err := log.Trim(ctx, time.Unix(2, 0), 5000); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := f.Sync(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if (forgot == 1) != missed.forget || forgot > 1 {
				t.Errorf("forgot everything %d times, want %v", forgot, missed.forget)
			}
			if !missed.forget && told != len(missed.entries) {
				t.Errorf("was told %d of %d entries", told, len(missed.entries))
			}
		})
	}
}

func many(e store.Entry, n int) []store.Entry {
	list := make([]store.Entry, n)
	for i := range list {
		list[i] = e
	}
	return list
}
