package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ostiary/ostiary/store"
)

type grants struct{ view }

// The size of a grant's row and its index entries decides how much memory and disk an installation needs. So IDs are
// packed, our own client is NULL, the delivery is its number in deliveries, and the indexes on people and sessions hold
// only the low four bytes of a UUIDv7's milliseconds, which distinguish enough and keep the order of insertion.
const grantColumns = `id, handle, user_id, session_id, client_id, scope, delivery, epoch, generation, recovered, rotated_at,
	expires_at, ends_at, binding, created_at`

// deliveries is a format: numbers are stored. 0 and 1 need no byte in SQLite.
var deliveries = [...]store.Delivery{"", store.DeliverSplit, store.DeliverCookies, store.DeliverBody, store.DeliverSession}

// deliveryColumn scans a number of deliveries.
type deliveryColumn struct{ d *store.Delivery }

func (c deliveryColumn) Scan(src any) error {
	n, ok := src.(int64)
	if !ok || n < 0 || int(n) >= len(deliveries) {
		return fmt.Errorf("scan delivery: unknown value %v", src)
	}
	*c.d = deliveries[n]
	return nil
}

func clientOrNull(id string) any {
	if id == store.FirstParty {
		return nil
	}
	return id
}

func scanGrant(scan Scan) (g store.Grant, err error) {
	var client *string
	err = scan(idColumn{&g.ID}, hashColumn{g.Handle[:]}, idColumn{&g.UserID}, idColumn{&g.SessionID}, &client, &g.Scope,
		deliveryColumn{&g.Delivery}, &g.Epoch, &g.Generation, &g.Recovered, timeColumn{&g.RotatedAt},
		timeColumn{&g.ExpiresAt}, timeColumn{&g.EndsAt}, bytesColumn{&g.Binding}, timeColumn{&g.CreatedAt})
	g.ClientID = store.FirstParty
	if client != nil {
		g.ClientID = *client
	}
	return g, err
}

func (s grants) Create(ctx context.Context, g store.Grant) error {
	const query = `INSERT INTO grants (` + grantColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`
	if err := checkIDs(g.ID, g.UserID, g.SessionID); err != nil {
		return err
	}
	delivery := slices.Index(deliveries[:], g.Delivery)
	if delivery < 0 {
		return fmt.Errorf("create grant: unknown delivery %q", g.Delivery)
	}
	return s.backend.Step(ctx, func(c Conn) error {
		return insert(ctx, c, query, pack(g.ID), g.Handle[:], pack(g.UserID), pack(g.SessionID), clientOrNull(g.ClientID),
			g.Scope, delivery, g.Epoch, g.Generation, g.Recovered, g.RotatedAt.UnixMicro(), g.ExpiresAt.UnixMicro(),
			g.EndsAt.UnixMicro(), blob(g.Binding), g.CreatedAt.UnixMicro())
	})
}

func (s grants) Get(ctx context.Context, id string) (store.Grant, error) {
	return get(ctx, s.view, `SELECT `+grantColumns+` FROM grants WHERE id = ?`, scanGrant, pack(id))
}

func (s grants) Rotate(ctx context.Context, r store.Rotation) error {
	const (
		alive = `(user_id IS NULL OR EXISTS (
			SELECT 1 FROM users WHERE users.id = grants.user_id AND users.epoch = grants.epoch))`
		update = `UPDATE grants SET generation = generation + 1, rotated_at = ?, expires_at = ?
			WHERE id = ? AND generation = ? AND ` + alive
		exists = `SELECT 1 FROM grants WHERE id = ? AND ` + alive
	)
	id := pack(r.ID)
	return s.backend.Step(ctx, func(c Conn) error {
		args := []any{r.At.UnixMicro(), r.ExpiresAt.UnixMicro(), id, r.From}
		return swap(ctx, c, update, args, exists, id)
	})
}

func (s grants) Recover(ctx context.Context, id string, generation int64) error {
	const query = `UPDATE grants SET recovered = ? WHERE id = ? AND generation = ? AND (recovered = 0 OR recovered <= ?)`
	changed, err := s.exec(ctx, query, generation, pack(id), generation, generation-2)
	if err == nil && changed == 0 {
		return store.ErrConflict
	}
	return err
}

func (s grants) List(ctx context.Context, q store.GrantQuery) ([]store.Grant, error) {
	w, err := whereGrants(q)
	if err != nil {
		return nil, err
	}
	query := `SELECT ` + grantColumns + ` FROM grants` + w.text() + ` ORDER BY id`
	if q.Limit > 0 {
		query += ` LIMIT ?`
		w.args = append(w.args, q.Limit)
	}
	return list(ctx, s.view, query, scanGrant, w.args...)
}

func (s grants) End(ctx context.Context, q store.GrantQuery) (int, error) {
	w, err := whereGrants(q)
	if err != nil {
		return 0, err
	}
	query := `DELETE FROM grants` + w.text()
	if q.Limit > 0 {
		query = `DELETE FROM grants WHERE id IN (SELECT id FROM (
			SELECT id FROM grants` + w.text() + ` LIMIT ?) AS matching)`
		w.args = append(w.args, q.Limit)
	}
	n, err := s.exec(ctx, query, w.args...)
	return int(n), err
}

var errEverything = errors.New("select grants: the query names no grant, person, session, client or time")

func whereGrants(q store.GrantQuery) (w where, err error) {
	if q.ID != "" {
		w.and(`id = ?`, pack(q.ID))
	}
	if q.UserID != "" {
		id := pack(q.UserID)
		w.and(`substr(user_id, 3, 4) = ? AND user_id = ?`, indexed(id), id)
	}
	if q.SessionID != "" {
		id := pack(q.SessionID)
		w.and(`substr(session_id, 3, 4) = ? AND session_id = ?`, indexed(id), id)
	}
	if q.ClientID == store.FirstParty {
		w.and(`client_id IS NULL`)
	} else if q.ClientID != "" {
		w.and(`client_id = ?`, q.ClientID)
	}
	if !q.Expired.IsZero() {
		// Asked for in this way, a sweep reads the index on expires_at; else the order by ID would make it read every grant.
		w.and(`id IN (SELECT id FROM (SELECT id FROM grants WHERE expires_at < ?) AS expired)`, q.Expired.UnixMicro())
	}
	if len(w.conditions) == 0 {
		return w, errEverything
	}
	if except := pack(q.Except); except != nil {
		w.and(`(session_id IS NULL OR session_id <> ?)`, except)
	}
	return w, nil
}

// indexed is the part of a packed ID that the indexes of grants hold.
func indexed(id []byte) []byte {
	if id == nil {
		return nil
	}
	return id[2:6]
}
