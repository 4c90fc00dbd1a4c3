package redis

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/ostiary/ostiary/store"
)

// batch is how many sessions are read at once.
const batch = 100

// entry is a member of a sorted set of IDs.
type entry struct {
	id, set string
	score   float64
}

// List reads a person's set or, to sweep, the beginnings of the sets of expiry. Without either it reads all IDs there are,
// which is for tests and tools.
func (s sessions) List(ctx context.Context, q store.SessionQuery) ([]store.Session, error) {
	if q.After != "" && !store.ValidID(q.After) || q.UserID != "" && !store.ValidID(q.UserID) {
		return nil, ctx.Err()
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	entries, err := s.entries(ctx, q)
	if err != nil {
		return nil, fault("list sessions", err)
	}
	var list []store.Session
	for part := range slices.Chunk(entries, batch) {
		read, err := s.read(ctx, part, q.UserID == "")
		if err != nil {
			return nil, fault("list sessions", err)
		}
		for _, r := range read {
			if matches(r, q) {
				list = append(list, r)
			}
			if q.Limit > 0 && len(list) == q.Limit {
				return list, nil
			}
		}
	}
	return list, nil
}

// matches is what the sets do not say.
func matches(r store.Session, q store.SessionQuery) bool {
	return (q.UserID == "" || r.UserID == q.UserID) &&
		(q.Expired.IsZero() || over(r).UnixMicro() < q.Expired.UnixMicro())
}

// entries are the candidates of a query, in order of ID.
func (s sessions) entries(ctx context.Context, q store.SessionQuery) ([]entry, error) {
	var sets []string
	if q.UserID != "" {
		sets = []string{s.userKey(q.UserID)}
	} else {
		for i := range shards {
			sets = append(sets, s.expiryKey(i))
		}
	}
	commands := make([]valkey.Completed, len(sets))
	for i, set := range sets {
		commands[i] = s.candidates(set, q)
	}
	var list []entry
	for i, reply := range s.client.DoMulti(ctx, commands...) {
		members, err := reply.AsZScores()
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.Member > q.After && store.ValidID(m.Member) {
				list = append(list, entry{m.Member, sets[i], m.Score})
			}
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	return list, nil
}

func (s sessions) candidates(set string, q store.SessionQuery) valkey.Completed {
	b := s.client.B()
	if q.UserID != "" || q.Expired.IsZero() {
		return b.Zrange().Key(set).Min("0").Max("-1").Withscores().Build()
	}
	before := b.Zrangebyscore().Key(set).Min("-inf").Max("(" + number(q.Expired)).Withscores()
	if q.Limit > 0 && q.After == "" {
		return before.Limit(0, int64(q.Limit)).Build()
	}
	return before.Build()
}

// read fetches sessions by their IDs, leaves out those that are gone, and mends the sets that named them.
func (s sessions) read(ctx context.Context, entries []entry, byExpiry bool) ([]store.Session, error) {
	hashes, err := s.pointers(ctx, entries)
	if err != nil {
		return nil, err
	}
	commands := make([]valkey.Completed, len(entries))
	for i := range entries {
		commands[i] = s.client.B().Get().Key(s.sessionKey(hashes[i])).Build()
	}
	var list []store.Session
	for i, reply := range s.client.DoMulti(ctx, commands...) {
		r, err := session(reply, hashes[i])
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		alive := err == nil && r.ID == entries[i].id
		if alive {
			list = append(list, r)
		}
		if err := s.mend(ctx, entries[i], alive, byExpiry, over(r)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s sessions) pointers(ctx context.Context, entries []entry) ([][32]byte, error) {
	commands := make([]valkey.Completed, len(entries))
	for i, e := range entries {
		commands[i] = s.client.B().Get().Key(s.pointerKey(e.id)).Build()
	}
	hashes := make([][32]byte, len(entries))
	for i, reply := range s.client.DoMulti(ctx, commands...) {
		var err error
		if hashes[i], err = hashOf(reply); err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	return hashes, nil
}

// mend corrects a set by what the session says, or forgets one that is gone.
func (s sessions) mend(ctx context.Context, e entry, alive, byExpiry bool, ends time.Time) error {
	right := ""
	if alive {
		if !byExpiry || e.score == float64(ends.UnixMicro()) {
			return nil
		}
		right = number(ends)
	}
	is := strconv.FormatFloat(e.score, 'f', -1, 64)
	return s.scripts.mend.Exec(ctx, s.client, []string{e.set}, []string{e.id, is, right}).Error()
}
