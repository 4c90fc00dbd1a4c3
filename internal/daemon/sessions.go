package daemon

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/server"
	"github.com/ostiary/ostiary/store"
)

type sessionsCommand struct {
	List   sessionsList   `cmd:"" help:"List live sessions."`
	Revoke sessionsRevoke `cmd:"" help:"End a session, or all of a person, with every token that hangs on them."`
}

type sessionsList struct {
	Person string `arg:"" optional:"" help:"ID or e-mail address; without it, everybody's are listed."`
	Limit  int    `default:"100" placeholder:"N" help:"At most so many, 1 to 999. Default 100."`
	After  string `placeholder:"ID" help:"Go on after this session."`
}

func (p sessionsList) Run(a *app) error {
	if err := checkLimit(p.Limit); err != nil {
		return err
	}
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		userID := ""
		if p.Person != "" {
			u, err := whom{p.Person}.find(a, e)
			if err != nil {
				return err
			}
			userID = u.ID
		}
		live, err := e.Sessions(a, userID, p.After, p.Limit+1)
		if err != nil {
			return err
		}
		found := page(showSessions(live), p.Limit, func(s admin.Session) string { return s.ID })
		if a.json {
			return a.print(found)
		}
		rows := make([][]string, 0, len(found.Items))
		for _, s := range found.Items {
			rows = append(rows, []string{s.ID, s.UserID, strings.Join(s.AMR, ","), s.IP, when(s.LastSeenAt), when(s.ExpiresAt), s.UserAgent})
		}
		a.more("--after", found.Next)
		return a.table([]string{"ID", "PERSON", "BY", "FROM", "LAST SEEN", "EXPIRES", "DEVICE"}, rows)
	})
}

func showSessions(live []store.Session) []admin.Session {
	shown := make([]admin.Session, 0, len(live))
	for _, s := range live {
		ip := ""
		if s.Source.IsValid() {
			ip = s.Source.String()
		}
		shown = append(shown, admin.Session{
			ID: s.ID, UserID: s.UserID, CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt, IP: ip,
			UserAgent: s.UserAgent, AMR: append([]string{}, s.AMR...),
		})
	}
	return shown
}

type sessionsRevoke struct {
	Session string `arg:"" optional:"" help:"ID of the session."`
	User    string `placeholder:"PERSON" help:"End all sessions of this person instead: ID or e-mail address."`
}

func (p sessionsRevoke) Run(a *app) error {
	if (p.Session == "") == (p.User == "") {
		return usagef("name either a session or, with --user, a person")
	}
	return a.open(func(_ *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		done, err := p.revoke(a, e, c)
		if err != nil {
			return err
		}
		if a.json {
			return a.print(map[string]string{"revoked": done})
		}
		a.say("Revoked %s", done)
		return nil
	})
}

func (p sessionsRevoke) revoke(a *app, e *ostiary.Engine, c *ostiary.Call) (string, error) {
	if p.User != "" {
		u, err := whom{p.User}.find(a, e)
		if err != nil {
			return "", err
		}
		return u.ID, e.EndUser(a, c, u.ID)
	}
	err := e.EndSession(a, c, p.Session)
	if errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("there is no session %q", p.Session)
	}
	return p.Session, err
}
