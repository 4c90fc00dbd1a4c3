package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// tries bounds how often another node may come first.
const tries = 16

// settle reads the registry and writes what is due until nothing is. Whoever loses the race for a period finds the
// winner's key at the next turn.
func (r *Rotator) settle(ctx context.Context) ([]link, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	for range tries {
		links, err := r.cfg.read(ctx, r.cfg.Store.Registry())
		if err != nil {
			return nil, err
		}
		wrote, err := r.extend(ctx, links)
		if err != nil {
			return nil, err
		}
		if wrote {
			continue
		}
		return links, r.drop(ctx, links)
	}
	return nil, fmt.Errorf("rotate keys: other nodes came first %d times: %w", tries, store.ErrConflict)
}

// extend makes the keys that are due. wrote: the registry changed, by us or by the one who came first.
func (r *Rotator) extend(ctx context.Context, links []link) (wrote bool, err error) {
	now, all := r.now(), chains(links)
	for _, alg := range r.cfg.Algs {
		sign, ok := r.due(all[alg], now)
		if !ok {
			continue
		}
		_, err := r.create(ctx, all[alg].next(), saved{Alg: alg, Publish: earlier(now, sign), Sign: sign})
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return false, err
		}
		wrote = true
	}
	return wrote, nil
}

// append makes a key beyond what is due.
func (r *Rotator) append(ctx context.Context, alg token.Alg, c chain) (kid string, err error) {
	if len(c) >= maxChain {
		return "", fmt.Errorf("there are %d already; wait until some have expired", len(c))
	}
	now, number := r.now(), c.next()
	for range tries {
		kid, err = r.create(ctx, number, saved{Alg: alg, Publish: now, Sign: now.Add(r.cfg.Ahead)})
		if !errors.Is(err, store.ErrConflict) {
			return kid, err
		}
		number++ // another node has that period
	}
	return "", err
}

// create generates the key that s describes and stores it for a period. store.ErrConflict: the period has one.
func (r *Rotator) create(ctx context.Context, number int, s saved) (kid string, err error) {
	key, err := token.Generate(s.Alg)
	if err != nil {
		return "", err
	}
	if s.Private, err = key.MarshalPrivate(); err != nil {
		return "", err
	}
	s.KeyID = key.ID
	rec, err := r.cfg.seal(s, recordID(s.Alg, number), 0)
	if err != nil {
		return "", err
	}
	if err := r.cfg.Store.Registry().Put(ctx, rec); err != nil {
		return "", fmt.Errorf("store signing key: %w", err)
	}
	return key.ID, nil
}

// drop deletes what no living token needs. The newest number stays, so that numbers never come back.
func (r *Rotator) drop(ctx context.Context, links []link) error {
	now := r.now()
	for _, c := range chains(links) {
		for i, l := range c {
			if live(r.remove(c, i), now) || (l.number == c.newest() && r.configured(l.Alg)) {
				continue
			}
			err := r.cfg.Store.Registry().Delete(ctx, l.record.Kind, l.record.ID, l.record.Version)
			if err != nil && !errors.Is(err, store.ErrConflict) {
				return fmt.Errorf("drop signing key: %w", err)
			}
		}
	}
	return nil
}

func live(end, now time.Time) bool { return end.IsZero() || now.Before(end) }

// install puts the living keys of links into the ring.
func (r *Rotator) install(links []link) (changed bool, err error) {
	keys, parsed, err := r.keys(links)
	if err != nil {
		return false, err
	}
	if slices.EqualFunc(keys, r.loaded, same) {
		return false, nil
	}
	if err := r.cfg.Ring.Set(keys); err != nil {
		return false, fmt.Errorf("fill ring: %w", err)
	}
	r.loaded, r.parsed = keys, parsed
	return true, nil
}

func same(a, b token.Key) bool {
	return a.ID == b.ID && a.Publish.Equal(b.Publish) && a.Sign.Equal(b.Sign) && a.Retire.Equal(b.Retire) &&
		a.Remove.Equal(b.Remove)
}

// keys returns the living keys with their times, and each of them under its record for the next time.
func (r *Rotator) keys(links []link) ([]token.Key, map[string]token.Key, error) {
	now, parsed := r.now(), make(map[string]token.Key, len(links))
	keys := make([]token.Key, 0, len(links))
	all := chains(links)
	for _, alg := range r.algs(all) {
		c := all[alg]
		for i, l := range c {
			if l.revoked() || !live(r.remove(c, i), now) {
				continue
			}
			k, err := r.parse(l)
			if err != nil {
				return nil, nil, fmt.Errorf("open signing key %s: %w", l.record.ID, err)
			}
			parsed[string(l.record.Data)] = k
			k.Publish, k.Sign, k.Retire, k.Remove = l.Publish, l.Sign, r.retire(c, i), r.remove(c, i)
			keys = append(keys, k)
		}
	}
	return keys, parsed, nil
}

func (r *Rotator) parse(l link) (token.Key, error) {
	if k, ok := r.parsed[string(l.record.Data)]; ok {
		return k, nil
	}
	k, err := token.ParsePrivate(l.Alg, l.Private)
	if err != nil {
		return token.Key{}, err
	}
	if l.Alg == token.HS256 {
		k.ID = l.KeyID
	}
	if k.ID != l.KeyID {
		return token.Key{}, errors.New("its kid is another")
	}
	return k, nil
}

// algs lists the algorithms that have keys: the configured ones in their order, then the rest.
func (r *Rotator) algs(all map[token.Alg]chain) []token.Alg {
	var rest []token.Alg
	for alg := range all {
		if !r.configured(alg) {
			rest = append(rest, alg)
		}
	}
	slices.Sort(rest)
	return append(slices.Clone(r.cfg.Algs), rest...)
}
