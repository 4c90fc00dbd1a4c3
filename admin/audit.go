package admin

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/list"
	"github.com/ostiary/ostiary/store"
)

const maxKind = 64 // bytes

// Event is a line of the audit log.
type Event struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"` // "session.created"
	At        time.Time         `json:"at"`
	Actor     string            `json:"actor"`   // who did it: a person's id, "cli", "system", or empty when nobody was signed in
	Subject   string            `json:"subject"` // whom it concerns: a person's id, or empty
	SessionID string            `json:"session_id,omitempty"`
	ClientID  string            `json:"client_id,omitempty"`
	IP        string            `json:"ip,omitempty"`
	RequestID string            `json:"request_id,omitempty"`
	Detail    map[string]string `json:"detail,omitempty"`
}

type auditInput struct {
	list.Query
	Subject string `query:"subject" jsonschema:"Only what concerns this person."`
	Kind    string `query:"kind" jsonschema:"Only this kind, or with a dot at its end all that begin with it: session."`
}

func (p *Part) audit(ctx context.Context, _ *ostiary.Call, in *auditInput) (list.Answer[Event], error) {
	none := list.Answer[Event]{}
	size, err := in.Size()
	if err != nil {
		return none, err
	}
	before, err := in.Before()
	if err != nil {
		return none, err
	}
	if in.Subject != "" && !store.ValidID(in.Subject) {
		return none, list.Wrong("query.subject", "must be the id of a person")
	}
	if len(in.Kind) > maxKind || strings.Trim(in.Kind, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != "" {
		return none, list.Wrong("query.kind", "must be a kind of event like session.created")
	}
	rows, err := p.engine.Events(ctx, store.EventQuery{Before: before, Limit: size + 1, Subject: in.Subject, Kind: in.Kind})
	if err != nil {
		return none, err
	}
	return list.Page(rows, size, func(e store.Event) string { return strconv.FormatInt(e.Seq, 10) }, showEvent), nil
}

func showEvent(e store.Event) Event {
	ip := ""
	if e.Source.IsValid() {
		ip = e.Source.String()
	}
	return Event{
		ID: e.ID, Kind: e.Kind, At: e.At, Actor: e.Actor, Subject: e.Subject, SessionID: e.SessionID, ClientID: e.ClientID,
		IP: ip, RequestID: e.RequestID, Detail: e.Detail,
	}
}
