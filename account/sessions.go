package account

import (
	"context"
	"fmt"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/list"
	"github.com/ostiary/ostiary/store"
)

// Session is a place where the person is signed in.
type Session struct {
	ID         string    `json:"id"`
	Current    bool      `json:"current"` // the one that asks
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
	AMR        []string  `json:"amr"` // RFC 8176
}

type sessionsInput struct{ list.Query }

func (p *Part) sessions(ctx context.Context, c *ostiary.Call, in *sessionsInput) (list.Answer[Session], error) {
	size, err := in.Size()
	if err != nil {
		return list.Answer[Session]{}, err
	}
	after, err := in.AfterID()
	if err != nil {
		return list.Answer[Session]{}, err
	}
	rows, err := p.engine.Sessions(ctx, c.Principal.User.ID, after, size+1)
	if err != nil {
		return list.Answer[Session]{}, err
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
		ID: s.ID, Current: s.ID == current, CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt,
		IP: ip, UserAgent: s.UserAgent, AMR: append([]string{}, s.AMR...),
	}
}

type sessionInput struct {
	ID string `path:"id"`
}

// endSession answers for another person's session exactly as for one that never was.
func (p *Part) endSession(ctx context.Context, c *ostiary.Call, in *sessionInput) (ostiary.None, error) {
	s, err := p.engine.Session(ctx, in.ID)
	if err == nil && s.UserID != c.Principal.User.ID {
		err = fmt.Errorf("end session of another person: %w", store.ErrNotFound)
	}
	if err != nil {
		return ostiary.None{}, ostiary.Found(err)
	}
	return ostiary.None{}, ostiary.Found(p.engine.EndSession(ctx, c, in.ID))
}
