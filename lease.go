package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary/store"
)

// Of several nodes on one store, one sweeps: the one that holds this record. It is renewed at half of its life, so an idle
// store is written to every five minutes; when its holder dies, nothing is swept for as long as ten.
const (
	leaseRecord = "upkeep-lease"
	leaseLife   = 10 * time.Minute
)

type lease struct {
	Node  string    `json:"node"`
	Until time.Time `json:"until"`
}

// mine says whether this node may sweep now, and takes the lease when nobody has it. Nothing depends on it but the work
// that is done twice: a sweep is right on any number of nodes. A lease from too far ahead was given by a wrong clock.
func (a *Auth) mine(ctx context.Context, now time.Time) (bool, error) {
	rec, held, err := a.readLease(ctx)
	if err != nil {
		return false, err
	}
	left := held.Until.Sub(now)
	switch {
	case held.Node != a.node && left > 0 && left <= 2*leaseLife:
		return false, nil
	case held.Node == a.node && left > leaseLife/2 && left <= leaseLife:
		return true, nil
	}
	if rec.Data, err = json.Marshal(lease{a.node, now.Add(leaseLife)}); err != nil {
		return false, fmt.Errorf("write upkeep lease: %w", err)
	}
	err = a.store.Registry().Put(ctx, rec)
	if errors.Is(err, store.ErrConflict) || isNotFound(err) {
		return false, nil // another node was faster
	}
	if err != nil {
		return false, fmt.Errorf("take upkeep lease: %w", err)
	}
	a.leased.Store(true)
	return true, nil
}

func (a *Auth) readLease(ctx context.Context) (store.Record, lease, error) {
	rec, err := a.store.Registry().Get(ctx, kindSetting, leaseRecord)
	if isNotFound(err) {
		return store.Record{Kind: kindSetting, ID: leaseRecord}, lease{}, nil
	}
	if err != nil {
		return rec, lease{}, fmt.Errorf("read upkeep lease: %w", err)
	}
	var held lease
	if json.Unmarshal(rec.Data, &held) != nil {
		held = lease{} // it means nothing, so it binds nobody
	}
	return rec, held, nil
}

// release lets another node sweep at once when this one ends.
func (a *Auth) release() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	rec, held, err := a.readLease(ctx)
	if err == nil && held.Node == a.node {
		err = a.store.Registry().Delete(ctx, kindSetting, leaseRecord, rec.Version)
	}
	if err != nil {
		a.log.Debug("the upkeep lease could not be given back; it ends by itself", "error", err)
	}
}
