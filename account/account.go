// Package account is the signed-in person's own part of the JSON API: profile, sessions, activity, export, deletion, and
// the question what he may do.
//
// It owns which of his own things a person sees and changes here. It decides no rule: who is calling, how fresh the proof
// is, that the last administrator stays, and what a deletion takes with it is the engine's. Passwords, addresses and second
// factors are changed with the methods that own them.
package account

import (
	"time"

	"github.com/ostiary/ostiary"
)

// fresh is how old the last proof may be for what cannot be undone.
const fresh = ostiary.Fresh(10 * time.Minute)

// Part serves the person's own routes. Make it with [New].
type Part struct{ engine *ostiary.Engine }

// New makes the part. It has no settings.
func New() *Part { return &Part{} }

// Name is "account".
func (p *Part) Name() string { return "account" }

// Routes returns the routes. None declares a scope, so that tokens of other clients are refused by all of them (R2).
func (p *Part) Routes(e *ostiary.Engine) ([]ostiary.Route, error) {
	p.engine = e
	return []ostiary.Route{
		{
			Name: "me.get", Pattern: "GET /api/v1/me", Keys: true, Serve: ostiary.JSON(p.get),
			Doc: "Returns the signed-in person.",
		},
		{
			Name: "me.update", Pattern: "PATCH /api/v1/me", Serve: ostiary.JSON(p.update),
			Doc: "Changes the profile. What is left out or null stays as it is; an empty text clears a field.",
		},
		{
			Name: "me.delete", Pattern: "DELETE /api/v1/me", Need: []ostiary.Check{fresh}, Serve: ostiary.JSON(p.remove),
			Doc: "Deletes the account with everything that hangs on it, at once and for good. The last administrator cannot.",
		},
		{
			Name: "me.export", Pattern: "GET /api/v1/me/export", Need: []ostiary.Check{fresh}, Serve: ostiary.JSON(p.export),
			Doc: "Returns everything that is stored about the person, without secrets.",
		},
		{
			Name: "sessions.list", Pattern: "GET /api/v1/sessions", Serve: ostiary.JSON(p.sessions),
			Doc: "Lists where the person is signed in.",
		},
		{
			Name: "sessions.end", Pattern: "DELETE /api/v1/sessions/{id}", Serve: ostiary.JSON(p.endSession),
			Doc: "Ends one of the person's own sessions with every token that hangs on it.",
		},
		{
			Name: "events.list", Pattern: "GET /api/v1/events", Serve: ostiary.JSON(p.events),
			Doc: "Lists what happened to the person's account, newest first.",
		},
		{
			Name: "authorize.check", Pattern: "GET /api/v1/authorize-check", Serve: ostiary.JSON(p.check),
			Doc: "Says whether the person has a permission, and why: granted, owner_only (for what one owns) or not_granted.",
		},
	}, nil
}
