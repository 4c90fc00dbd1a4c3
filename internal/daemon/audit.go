package daemon

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/server"
	"github.com/ostiary/ostiary/store"
)

type auditCommand struct {
	User   string `placeholder:"PERSON" help:"Only what concerns this person: ID or e-mail address."`
	Kind   string `placeholder:"KIND" help:"Only this kind (session.created), or with a dot at its end all that begin with it (session.)."`
	Limit  int    `default:"50" placeholder:"N" help:"At most so many, 1 to 999. Default 50."`
	Before int64  `placeholder:"CURSOR" help:"Go on before this place."`
}

func (p auditCommand) Run(a *app) error {
	if err := checkLimit(p.Limit); err != nil {
		return err
	}
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		q := store.EventQuery{Before: p.Before, Limit: p.Limit + 1, Kind: p.Kind}
		if p.User != "" {
			u, err := whom{p.User}.find(a, e)
			if err != nil {
				return err
			}
			q.Subject = u.ID
		}
		events, err := e.Events(a, q)
		if err != nil {
			return err
		}
		cut := page(events, p.Limit, func(e store.Event) string { return strconv.FormatInt(e.Seq, 10) })
		if a.json {
			return a.print(showEvents(cut))
		}
		rows := make([][]string, 0, len(cut.Items))
		for _, e := range cut.Items {
			rows = append(rows, []string{when(e.At), e.Kind, e.Actor, e.Subject, details(e.Detail)})
		}
		a.more("--before", cut.Next)
		return a.table([]string{"AT", "KIND", "BY", "ABOUT", "DETAIL"}, rows)
	})
}

func showEvents(events list[store.Event]) list[admin.Event] {
	shown := list[admin.Event]{Items: []admin.Event{}, Next: events.Next}
	for _, e := range events.Items {
		ip := ""
		if e.Source.IsValid() {
			ip = e.Source.String()
		}
		shown.Items = append(shown.Items, admin.Event{
			ID: e.ID, Kind: e.Kind, At: e.At, Actor: e.Actor, Subject: e.Subject, SessionID: e.SessionID, ClientID: e.ClientID,
			IP: ip, RequestID: e.RequestID, Detail: e.Detail,
		})
	}
	return shown
}

func details(detail map[string]string) string {
	parts := make([]string, 0, len(detail))
	for _, k := range slices.Sorted(maps.Keys(detail)) {
		parts = append(parts, fmt.Sprintf("%s=%s", k, detail[k]))
	}
	return strings.Join(parts, " ")
}
