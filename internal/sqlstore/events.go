package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/ostiary/ostiary/store"
)

type events struct{ view }

const eventColumns = `id, kind, at, actor, subject, session_id, client_id, source, request_id, detail`

func scanEvent(scan Scan) (e store.Event, err error) {
	err = scan(&e.Seq, idColumn{&e.ID}, &e.Kind, timeColumn{&e.At}, &e.Actor, idColumn{&e.Subject}, idColumn{&e.SessionID},
		&e.ClientID, addrColumn{&e.Source}, &e.RequestID, jsonColumn{&e.Detail})
	return e, err
}

func (s events) Record(ctx context.Context, e ...store.Event) error {
	const query = `INSERT INTO events (` + eventColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	rows := make([][]any, len(e))
	for i, r := range e {
		if err := checkIDs(r.ID, r.Subject, r.SessionID); err != nil {
			return err
		}
		detail, err := toJSON(len(r.Detail), r.Detail)
		if err != nil {
			return err
		}
		rows[i] = []any{
			pack(r.ID), r.Kind, r.At.UnixMicro(), r.Actor, pack(r.Subject), pack(r.SessionID), r.ClientID, addr(r.Source),
			r.RequestID, detail,
		}
	}
	return s.backend.Write(ctx, func(c Conn) error {
		for _, row := range rows {
			if _, err := c.Exec(ctx, query, row...); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s events) List(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	var w where
	if q.Before > 0 {
		w.and(`seq < ?`, q.Before)
	}
	if q.Subject != "" {
		w.and(`subject = ?`, pack(q.Subject))
	}
	if prefix, ok := strings.CutSuffix(q.Kind, "."); ok {
		w.and(`kind >= ? AND kind < ?`, q.Kind, prefix+"/") // "/" follows "." in ASCII
	} else if q.Kind != "" {
		w.and(`kind = ?`, q.Kind)
	}
	query := `SELECT seq, ` + eventColumns + ` FROM events` + w.text() + ` ORDER BY seq DESC LIMIT ?`
	return listFrom(ctx, s.lagging, query, scanEvent, append(w.args, page(q.Limit))...)
}

func (s events) Trim(ctx context.Context, t time.Time, limit int) (int, error) {
	const query = `DELETE FROM events WHERE seq IN (SELECT seq FROM (
		SELECT seq FROM events WHERE at < ? LIMIT ?) AS old)`
	return s.trim(ctx, query, t, limit)
}

func (s events) Erase(ctx context.Context, userID string) error {
	_, err := s.exec(ctx, `DELETE FROM events WHERE subject = ?`, pack(userID))
	return err
}
