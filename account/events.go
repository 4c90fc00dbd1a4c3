package account

import (
	"context"
	"strconv"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/list"
	"github.com/ostiary/ostiary/store"
)

// Event is something that happened to the person's account.
type Event struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"` // "session.created"
	At        time.Time         `json:"at"`
	SessionID string            `json:"session_id,omitempty"`
	IP        string            `json:"ip,omitempty"` // left out when somebody else did it
	Detail    map[string]string `json:"detail,omitempty"`
}

type eventsInput struct{ list.Query }

func (p *Part) events(ctx context.Context, c *ostiary.Call, in *eventsInput) (list.Answer[Event], error) {
	size, err := in.Size()
	if err != nil {
		return list.Answer[Event]{}, err
	}
	before, err := in.Before()
	if err != nil {
		return list.Answer[Event]{}, err
	}
	rows, err := p.engine.Events(ctx, store.EventQuery{Subject: c.Principal.User.ID, Before: before, Limit: size + 1})
	if err != nil {
		return list.Answer[Event]{}, err
	}
	return list.Page(rows, size, func(e store.Event) string { return strconv.FormatInt(e.Seq, 10) }, showEvent), nil
}

// showEvent leaves out where somebody else sat who did it, and in which session.
func showEvent(e store.Event) Event {
	shown := Event{ID: e.ID, Kind: e.Kind, At: e.At, SessionID: e.SessionID, IP: ostiary.EventSource(e), Detail: e.Detail}
	if e.Actor != "" && e.Actor != e.Subject {
		shown.SessionID = ""
	}
	return shown
}
