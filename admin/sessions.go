package admin

import (
	"context"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/list"
	"github.com/ostiary/ostiary/store"
)

func (p *Part) sessionRoutes() []ostiary.Route {
	return []ostiary.Route{
		{
			Name: "admin.sessions.list", Pattern: "GET " + prefix + "/sessions", Need: read(ReadSessions), Serve: ostiary.JSON(p.listSessions),
			Doc: "Lists live sessions, of one person or of everybody.",
		},
		{
			Name: "admin.sessions.end", Pattern: "DELETE " + prefix + "/sessions/{id}", Need: change(EndSessions), Serve: ostiary.JSON(p.endSession),
			Doc: "Ends a session with every token that hangs on it.",
		},
	}
}

// Session is a place where somebody is signed in.
type Session struct {
	ID         string    `json:"id"`
	UserID     string    `json:"user_id"`
	Current    bool      `json:"current"` // the one that asks
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
	AMR        []string  `json:"amr"` // RFC 8176
}

type sessionsInput struct {
	list.Query
	UserID string `query:"user_id" jsonschema:"Only sessions of this person."`
}

func (p *Part) listSessions(ctx context.Context, c *ostiary.Call, in *sessionsInput) (list.Answer[Session], error) {
	none := list.Answer[Session]{}
	size, err := in.Size()
	if err != nil {
		return none, err
	}
	after, err := in.AfterID()
	if err != nil {
		return none, err
	}
	if in.UserID != "" && !store.ValidID(in.UserID) {
		return none, list.Wrong("query.user_id", "must be the id of a person")
	}
	rows, err := p.engine.Sessions(ctx, in.UserID, after, size+1)
	if err != nil {
		return none, err
	}
	show := func(s store.Session) Session { return showSession(s, c.Principal.SessionID) }
	return list.Page(rows, size, func(s store.Session) string { return s.ID }, show), nil
}

func showSession(s store.Session, current string) Session {
	ip := ""
	if s.Source.IsValid() {
		ip = s.Source.String()
	}
	return Session{
		ID: s.ID, UserID: s.UserID, Current: s.ID == current, CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt,
		ExpiresAt: s.ExpiresAt, IP: ip, UserAgent: s.UserAgent, AMR: append([]string{}, s.AMR...),
	}
}

func (p *Part) endSession(ctx context.Context, c *ostiary.Call, in *idInput) (ostiary.None, error) {
	s, err := p.engine.Session(ctx, in.ID)
	if err != nil {
		return ostiary.None{}, ostiary.Found(err)
	}
	return ostiary.None{}, p.administer(ctx, c, func(t *ostiary.AdminTx) error { return t.EndSession(ctx, s) })
}
