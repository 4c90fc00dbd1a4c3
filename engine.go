package ostiary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/web"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// Engine is what a part works with: a [Kit], and what whole surfaces need beside it.
type Engine struct{ *Kit }

// Routes returns all routes of the engine that is being made; complete once New has returned.
func (e *Engine) Routes() []Route { return e.a.Routes() }

// Has says whether a route of that name is served.
func (e *Engine) Has(route string) bool { return e.a.named[route] != nil }

// Path is the address of a path below Config.URL on the same host: the prefix and the path.
func (e *Engine) Path(path string) string { return e.a.prefix + path }

// Secure says whether the URL is https.
func (e *Engine) Secure() bool { return e.a.secure }

// Submit runs a named route on a page's form: same limits, same checks, same sign-in as the JSON API. Cookies are written
// with the page. The result is what the route answers: an *[Outcome] from routes that sign in (nil when the call was
// accepted and nobody signed in), else its output.
func (e *Engine) Submit(w http.ResponseWriter, r *http.Request, c *Call, route string, form url.Values) (any, error) {
	target := e.a.named[route]
	if target == nil || target.Serve.run == nil {
		return nil, fmt.Errorf("submit to %q: no such route", route)
	}
	if err := e.a.admit(w, r, target, c); err != nil {
		return nil, err
	}
	in := target.newInput()
	if err := web.DecodeForm(form, in); err != nil {
		return nil, err
	}
	out, err := e.a.call(r.Context(), target, c, in)
	if _, ok := out.(accepted); ok {
		return nil, err
	}
	return out, err
}

// Problem is what may be seen of an error, for pages that show it beside the form it came from.
func (e *Engine) Problem(err error) *Error { return problem(err) }

// SafeReturn is return_to if it is a path on this host, and the account page otherwise (R9).
func (e *Engine) SafeReturn(returnTo string) string {
	if localPath(returnTo) {
		return returnTo
	}
	return e.Path("/account")
}

// localPath says whether s is a same-origin path: one slash first, no backslash, no control character (R9).
func localPath(s string) bool {
	if s == "" || s[0] != '/' || len(s) > 2000 || strings.HasPrefix(s, "//") || strings.ContainsRune(s, '\\') {
		return false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && !strings.Contains(u.Path, "\\") && !strings.HasPrefix(u.Path, "//")
}

// EndSession ends one session with everything that hangs on it. When the caller ends his own, his cookies go with it.
// store.ErrNotFound.
func (e *Engine) EndSession(ctx context.Context, c *Call, id string) error {
	s, err := e.a.volatile.Sessions().Get(ctx, id)
	own := c.Principal != nil && c.Principal.SessionID == id
	if isNotFound(err) && own && c.Principal.User != nil {
		// The volatile store has lost it, but the caller's token shows that there is something to end.
		s, err = store.Session{ID: id, UserID: c.Principal.User.ID}, nil
	}
	if err != nil {
		return fault("read session", err)
	}
	if err := e.a.do(ctx, c, func(t *Tx) error { return t.endSession(ctx, s, "revoked") }); err != nil {
		return err
	}
	if own {
		c.clearCookie(sessionCookie, accessCookie, refreshCookie)
	}
	return nil
}

// EndUser signs a person out everywhere.
func (e *Engine) EndUser(ctx context.Context, c *Call, userID string) error {
	return e.a.do(ctx, c, func(t *Tx) error { return t.endSessions(ctx, userID, "") })
}

// Session finds a live session. store.ErrNotFound.
func (e *Engine) Session(ctx context.Context, id string) (store.Session, error) {
	s, err := e.a.volatile.Sessions().Get(ctx, id)
	if err != nil {
		return s, fault("read session", err)
	}
	live, err := e.living(ctx, []store.Session{s})
	if err != nil {
		return s, err
	}
	if len(live) == 0 {
		return s, fmt.Errorf("read session: %w", store.ErrNotFound)
	}
	return s, nil
}

// Sessions returns at most limit (0: all) live sessions of a person, or with userID "" of everybody, after the given ID.
func (e *Engine) Sessions(ctx context.Context, userID, after string, limit int) ([]store.Session, error) {
	found := []store.Session{}
	for {
		page, err := e.a.volatile.Sessions().List(ctx, store.SessionQuery{UserID: userID, After: after, Limit: limit})
		if err != nil {
			return nil, fault("list sessions", err)
		}
		live, err := e.living(ctx, page)
		if err != nil {
			return nil, err
		}
		found = append(found, live...)
		if limit == 0 || len(page) < limit {
			return found, nil
		}
		if len(found) >= limit {
			return found[:limit], nil
		}
		after = page[len(page)-1].ID
	}
}

// living leaves out what has expired or was ended; the volatile store may not know yet (R22).
func (e *Engine) living(ctx context.Context, list []store.Session) ([]store.Session, error) {
	now := e.a.now()
	var live []store.Session
	for _, s := range list {
		if !now.Before(s.IdleAt) || !now.Before(s.ExpiresAt) {
			continue
		}
		found, err := e.a.live(ctx, s)
		if err != nil {
			return nil, err
		}
		if found != nil {
			live = append(live, s)
		}
	}
	return live, nil
}

// Users lists people.
func (e *Engine) Users(ctx context.Context, q store.UserQuery) ([]User, error) {
	rows, err := e.a.store.Users().List(ctx, q)
	if err != nil {
		return nil, fault("list users", err)
	}
	list := make([]User, 0, len(rows))
	for _, u := range rows {
		p, err := e.a.person(ctx, e.a.personKey(u.ID), u.ID)
		if err != nil {
			list = append(list, publicUser(u, false))
			continue
		}
		list = append(list, p.user)
	}
	return list, nil
}

// Events lists what happened, newest first.
func (e *Engine) Events(ctx context.Context, q store.EventQuery) ([]store.Event, error) {
	list, err := e.a.store.Events().List(ctx, q)
	return list, fault("list events", err)
}

// Methods returns the names of the methods a person has credentials of.
func (e *Engine) Methods(ctx context.Context, userID string) ([]string, error) {
	rows, err := e.a.store.Credentials().Of(ctx, userID)
	if err != nil {
		return nil, fault("read credentials", err)
	}
	var names []string
	for _, row := range rows {
		if !enginesOwn(row.Method) {
			names = append(names, row.Method)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Roles returns all roles, those fixed in code included.
func (e *Engine) Roles() []authz.Role { return e.a.policy.Load().Roles() }

// FixedRole says whether a role is fixed in code.
func (e *Engine) FixedRole(name string) bool { return e.a.fixedRole(name) }

// Decide answers whether somebody may do something, and why.
func (e *Engine) Decide(p *Principal, permission string, r authz.Resource) authz.Decision {
	return e.a.decide(p, permission, r)
}

// Keys lists the signing keys, without their private halves.
func (e *Engine) Keys(ctx context.Context) ([]token.Key, error) {
	list, err := e.a.rotator.List(ctx)
	for i := range list {
		list[i].Private, list[i].Secret = nil, nil
	}
	return list, fault("list signing keys", err)
}

// RotateKey makes a new signing key now. It signs once every cached key set knows it.
func (e *Engine) RotateKey(ctx context.Context, c *Call) (token.Key, error) {
	k, err := e.a.rotator.Rotate(ctx)
	if err != nil {
		return k, fault("rotate signing key", err)
	}
	k.Private, k.Secret = nil, nil
	return k, e.a.do(ctx, c, func(t *Tx) error {
		if err := t.policyChanged(ctx); err != nil {
			return err
		}
		return t.Emit(ctx, eventKeyRotated, "", map[string]string{"kid": k.ID})
	})
}

// RevokeKey kills a signing key and every token that it signed, everywhere. store.ErrNotFound.
func (e *Engine) RevokeKey(ctx context.Context, c *Call, kid string) error {
	err := e.a.do(ctx, c, func(t *Tx) error {
		if err := e.a.rotator.RevokeTx(ctx, t.tx, kid); err != nil {
			return err
		}
		if err := t.revoke(ctx, store.KindKey, e.a.now().Add(keyEntryLife), kid); err != nil {
			return err
		}
		return t.Emit(ctx, eventKeyRevoked, "", map[string]string{"kid": kid})
	})
	if err != nil {
		return err
	}
	return fault("load signing keys", e.a.rotator.Load(ctx))
}

// Verifiers returns the names of the methods that can check a known person again.
func (e *Engine) Verifiers() []string {
	names := make([]string, 0, len(e.a.verifiers))
	for name := range e.a.verifiers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Export is everything that is stored about a person, without secrets.
func (e *Engine) Export(ctx context.Context, userID string) (map[string]any, error) {
	p, err := e.a.readPerson(ctx, userID)
	if err != nil {
		return nil, err
	}
	creds, err := e.a.store.Credentials().Of(ctx, userID)
	if err != nil {
		return nil, fault("read credentials", err)
	}
	grants, err := e.a.store.Grants().List(ctx, store.GrantQuery{UserID: userID})
	if err != nil {
		return nil, fault("list grants", err)
	}
	events, err := e.history(ctx, userID)
	if err != nil {
		return nil, err
	}
	sessions, err := e.Sessions(ctx, userID, "", 0)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"user": p.user, "credentials": exportCredentials(creds), "sessions": exportSessions(sessions),
		"grants": exportGrants(grants), "events": exportEvents(events),
	}, nil
}

// history is everything that happened to a person.
func (e *Engine) history(ctx context.Context, userID string) ([]store.Event, error) {
	const page = 1000
	var all []store.Event
	for q := (store.EventQuery{Subject: userID, Limit: page}); ; {
		list, err := e.Events(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(list) < page {
			return all, nil
		}
		q.Before = list[len(list)-1].Seq
	}
}

func exportCredentials(list []store.Credential) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, c := range list {
		out = append(out, map[string]any{"id": c.ID, "method": c.Method, "factor": c.Factor, "created_at": c.CreatedAt})
	}
	return out
}

func exportSessions(list []store.Session) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, s := range list {
		out = append(out, map[string]any{
			"id": s.ID, "created_at": s.CreatedAt, "last_seen_at": s.LastSeenAt, "expires_at": s.ExpiresAt, "ip": s.Source.String(),
			"user_agent": s.UserAgent, "amr": s.AMR,
		})
	}
	return out
}

func exportGrants(list []store.Grant) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, g := range list {
		out = append(out, map[string]any{"id": g.ID, "client_id": g.ClientID, "session_id": g.SessionID, "created_at": g.CreatedAt, "expires_at": g.ExpiresAt})
	}
	return out
}

func exportEvents(list []store.Event) []map[string]any {
	out := make([]map[string]any, 0, len(list))
	for _, e := range list {
		out = append(out, map[string]any{"kind": e.Kind, "at": e.At, "ip": EventSource(e), "detail": e.Detail})
	}
	return out
}

// EventSource is the address an event came from, as the person whom it concerns may see it: "" when somebody else did it.
func EventSource(e store.Event) string {
	if !e.Source.IsValid() || e.Actor != "" && e.Actor != e.Subject {
		return ""
	}
	return e.Source.String()
}

// Answers of a store, as people may see them.
var errNoSuch = errNotFound

// Found turns store.ErrNotFound into not_found, for parts that look something up by an id of the caller's.
func Found(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errNoSuch.Because(err)
	}
	return err
}

// responseOf picks the member that a verifier reads from a request that names no method.
func (a *Auth) responseOf(fields map[string]json.RawMessage) (method string, response json.RawMessage) {
	for name, v := range a.verifiers {
		if raw, ok := fields[v.Field()]; ok && len(raw) > 0 {
			return name, raw
		}
	}
	return "", nil
}
