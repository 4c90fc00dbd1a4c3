package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/ostiary/ostiary/store"
)

type sessions struct{ *Store }

// Sessions is part of store.Volatile.
func (s *Store) Sessions() store.Sessions { return sessions{s} }

// Put needs three round trips for a new session and four for a new cookie value.
func (s sessions) Put(ctx context.Context, r store.Session) error {
	text, err := encode(r)
	if err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	old, err := s.pointer(ctx, r.ID)
	if err == nil && old != r.Hash {
		err = s.remove(ctx, old)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fault("put session", err)
	}
	key := s.sessionKey(r.Hash)
	set := s.client.B().Set().Key(key).Value(valkey.BinaryString(text)).Px(keep(r, over(r))).Build().ToRetryable()
	if err := errors.Join(s.client.Do(ctx, set).Error(), s.fence(ctx, key)); err != nil {
		return fault("put session", err)
	}
	replaced, err := s.point(ctx, r)
	if err == nil && replaced != r.Hash {
		err = s.remove(ctx, replaced) // somebody else put another one since
	}
	return fault("put session", err)
}

// point makes everything lead to a session, and returns which hash its ID led to before.
func (s sessions) point(ctx context.Context, r store.Session) (replaced [32]byte, err error) {
	ttl := strconv.FormatInt(keep(r, r.ExpiresAt).Milliseconds(), 10)
	id := s.pointerKey(r.ID)
	if replaced, err = hashOf(s.scripts.point.Exec(ctx, s.client, []string{id}, []string{valkey.BinaryString(r.Hash[:]), ttl})); err != nil {
		return replaced, err
	}
	// The score is another one each time, so that whoever mends the set does not remove what was just written.
	score := strconv.FormatInt(rand.Int64N(1<<52), 10)
	if r.UserID != "" {
		if err := s.scripts.join.Exec(ctx, s.client, []string{s.userKey(r.UserID)}, []string{score, r.ID, ttl}).Error(); err != nil {
			return replaced, err
		}
	}
	return replaced, s.expires(ctx, r.ID, over(r))
}

// expires notes when a session is over.
func (s sessions) expires(ctx context.Context, id string, at time.Time) error {
	add := s.client.B().Zadd().Key(s.expiryOf(id)).ScoreMember().ScoreMember(float64(at.UnixMicro()), id).Build()
	return s.client.Do(ctx, add.ToRetryable()).Error()
}

// pointer is the hash that an ID leads to.
func (s sessions) pointer(ctx context.Context, id string) (hash [32]byte, err error) {
	return hashOf(s.client.Do(ctx, s.client.B().Get().Key(s.pointerKey(id)).Build()))
}

func hashOf(reply valkey.ValkeyResult) (hash [32]byte, err error) {
	text, err := reply.ToString()
	if valkey.IsValkeyNil(err) {
		return hash, store.ErrNotFound
	}
	if err == nil && copy(hash[:], text) != len(hash) {
		err = errRecord
	}
	return hash, err
}

func (s sessions) remove(ctx context.Context, hash [32]byte) error {
	key := s.sessionKey(hash)
	err := s.client.Do(ctx, s.client.B().Del().Key(key).Build().ToRetryable()).Error()
	return errors.Join(err, s.fence(ctx, key))
}

func (s sessions) Get(ctx context.Context, id string) (store.Session, error) {
	if !store.ValidID(id) {
		return store.Session{}, store.ErrNotFound
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	hash, err := s.pointer(ctx, id)
	if err != nil {
		return store.Session{}, found("get session", err)
	}
	r, err := session(s.client.Do(ctx, s.client.B().Get().Key(s.sessionKey(hash)).Build()), hash)
	if err == nil && r.ID != id {
		err = store.ErrNotFound
	}
	return r, err
}

func (s sessions) ByHash(ctx context.Context, hash [32]byte) (store.Session, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	key := s.sessionKey(hash)
	if s.cacheTTL == 0 {
		return session(s.client.Do(ctx, s.client.B().Get().Key(key).Build()), hash)
	}
	reply := s.client.DoCache(ctx, s.client.B().Get().Key(key).Cache(), s.cacheTTL)
	if err := reply.NonValkeyError(); err != nil && !valkey.IsValkeyNil(err) && ctx.Err() == nil {
		// The one who asked first, and for whom this waited, may have gone away.
		reply = s.client.Do(ctx, s.client.B().Get().Key(key).Build())
	}
	return session(reply, hash)
}

func session(reply valkey.ValkeyResult, hash [32]byte) (store.Session, error) {
	text, err := reply.AsBytes()
	if err != nil {
		return store.Session{}, found("read session", err)
	}
	r, err := decode(text, hash)
	return r, fault("read session", err)
}

func (s sessions) Touch(ctx context.Context, id string, seen, idle time.Time) error {
	if !store.ValidID(id) {
		return nil
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	hash, err := s.pointer(ctx, id)
	if err == nil {
		err = s.touch(ctx, id, hash, seen, idle)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return fault("touch session", err)
}

func (s sessions) touch(ctx context.Context, id string, hash [32]byte, seen, idle time.Time) error {
	packed, _ := pack(id)
	key := s.sessionKey(hash)
	ends, err := s.scripts.touch.Exec(ctx, s.client, []string{key}, []string{
		valkey.BinaryString(packed), number(seen), number(idle), valkey.BinaryString(micros(seen)), valkey.BinaryString(micros(idle)),
		strconv.FormatInt(grace.Milliseconds(), 10),
	}).AsInt64()
	if valkey.IsValkeyNil(err) {
		return store.ErrNotFound
	}
	if err := errors.Join(err, s.fence(ctx, key)); err != nil {
		return err
	}
	return s.expires(ctx, id, time.UnixMicro(ends))
}

func number(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

func (s sessions) End(ctx context.Context, id string) error {
	if !store.ValidID(id) {
		return nil
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	hash, err := s.pointer(ctx, id)
	if err == nil {
		err = s.end(ctx, id, hash)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return fault("end session", err)
}

func (s sessions) end(ctx context.Context, id string, hash [32]byte) error {
	packed, _ := pack(id)
	key := s.sessionKey(hash)
	r, gone := session(s.scripts.take.Exec(ctx, s.client, []string{key}, []string{valkey.BinaryString(packed)}), hash)
	if gone != nil && !errors.Is(gone, store.ErrNotFound) && !errors.Is(gone, errRecord) {
		return gone
	}
	if err := s.fence(ctx, key); err != nil {
		return err
	}
	err := s.scripts.unpoint.Exec(ctx, s.client, []string{s.pointerKey(id)}, []string{valkey.BinaryString(hash[:])}).Error()
	if err != nil {
		return err
	}
	leave := []valkey.Completed{s.client.B().Zrem().Key(s.expiryOf(id)).Member(id).Build()}
	if r.UserID != "" {
		leave = append(leave, s.client.B().Zrem().Key(s.userKey(r.UserID)).Member(id).Build())
	}
	return errorOf(s.client.DoMulti(ctx, leave...))
}
