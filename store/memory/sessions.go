package memory

import (
	"context"
	"errors"
	"time"

	"github.com/ostiary/ostiary/store"
)

type sessions struct{ *Store }

// Sessions is part of store.Volatile.
func (s *Store) Sessions() store.Sessions { return sessions{s} }

func cloneSession(s store.Session) store.Session {
	s.AMR = list(s.AMR)
	s.AuthAt, s.CreatedAt, s.LastSeenAt = micros(s.AuthAt), micros(s.CreatedAt), micros(s.LastSeenAt)
	s.IdleAt, s.ExpiresAt = micros(s.IdleAt), micros(s.ExpiresAt)
	return s
}

func (s sessions) Put(ctx context.Context, r store.Session) error {
	return s.lose(ctx, func() error {
		if err := checkIDs(r.ID, r.UserID); err != nil {
			return err
		}
		for _, other := range s.volatile.sessions {
			if other.Hash == r.Hash && other.ID != r.ID {
				return errHashTaken
			}
		}
		s.volatile.sessions[r.ID] = cloneSession(r)
		return nil
	})
}

func (s sessions) Get(ctx context.Context, id string) (r store.Session, err error) {
	err = s.lose(ctx, func() error {
		found, ok := s.volatile.sessions[id]
		if !ok {
			return store.ErrNotFound
		}
		r = cloneSession(found)
		return nil
	})
	return r, err
}

func (s sessions) ByHash(ctx context.Context, hash [32]byte) (r store.Session, err error) {
	err = s.lose(ctx, func() error {
		for _, found := range s.volatile.sessions {
			if found.Hash == hash {
				r = cloneSession(found)
				return nil
			}
		}
		return store.ErrNotFound
	})
	return r, err
}

func (s sessions) List(ctx context.Context, q store.SessionQuery) (found []store.Session, err error) {
	err = s.lose(ctx, func() error {
		if q.After != "" && !store.ValidID(q.After) {
			return nil
		}
		found = sorted(s.volatile.sessions, q.Limit, func(r store.Session) bool { return matchSession(r, q) })
		for i := range found {
			found[i] = cloneSession(found[i])
		}
		return nil
	})
	return found, err
}

func matchSession(s store.Session, q store.SessionQuery) bool {
	t := micros(q.Expired)
	return s.ID > q.After &&
		(q.UserID == "" || s.UserID == q.UserID) &&
		(q.Expired.IsZero() || s.IdleAt.Before(t) || s.ExpiresAt.Before(t))
}

func (s sessions) Touch(ctx context.Context, id string, seen, idle time.Time) error {
	return s.lose(ctx, func() error {
		r, ok := s.volatile.sessions[id]
		if !ok {
			return nil
		}
		if seen := micros(seen); seen.After(r.LastSeenAt) {
			r.LastSeenAt = seen
		}
		if idle := micros(idle); idle.After(r.IdleAt) {
			r.IdleAt = idle
		}
		s.volatile.sessions[id] = r
		return nil
	})
}

func (s sessions) End(ctx context.Context, id string) error {
	return s.lose(ctx, func() error {
		delete(s.volatile.sessions, id)
		return nil
	})
}

// lose runs a step on what may be lost.
func (s *Store) lose(ctx context.Context, fn func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.volatile.Lock()
	defer s.volatile.Unlock()
	return fn()
}

var errHashTaken = errors.New("put session: the hash belongs to another session")
