package ostiary_test

import (
	"testing"
	"time"

	"github.com/ostiary/ostiary"
)

// A token that was issued under an earlier configuration lives on, so the revocation of its grant is kept as long.
func TestR20_EntriesOutliveTheLongestTokenEver(t *testing.T) {
	t.Parallel()
	const long, short = 6 * time.Hour, 5 * time.Minute
	var first ostiary.Config
	newWorld(t, func(cfg *ostiary.Config) {
		cfg.Tokens.Access = long
		first = *cfg
	})
	w := newWorld(t, func(cfg *ostiary.Config) {
		cfg.Store, cfg.Key, cfg.Tokens.Access = first.Store, first.Key, short
	})
	c := w.client()
	c.knock("ada@example.com", "cookies")
	c.want(c.do("POST", "/api/v1/logout/all", nil), 204, "")
	entries, _, err := first.Store.Log().After(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		t.Fatal("signing out everywhere left no entry")
	}
	least := w.clock.now().Add(long + 2*time.Minute).Truncate(time.Microsecond) // as stores keep times
	for _, e := range entries {
		if e.ExpiresAt.Before(least) {
			t.Errorf("entry %d of kind %d expires %s too early", e.Seq, e.Kind, least.Sub(e.ExpiresAt))
		}
	}
}
