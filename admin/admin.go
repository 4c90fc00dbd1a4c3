// Package admin is the administrators' JSON API: people, sessions, roles, permissions, signing keys, the audit log and the
// effective settings.
//
// It owns what may be asked for and which permission each route needs; all of them are granted to the role admin by "*:*",
// and an operator can make a smaller role of them. The engine decides everything else: that nobody grants, changes or acts
// on somebody who has more than he has himself, that the last administrator stays, and what an ended session takes with it.
// Every change needs a proof of the last hour. It has no pages.
package admin

import (
	"context"
	"time"

	"github.com/ostiary/ostiary"
)

// The permissions that routes need.
const (
	ReadUsers    = "users:read"
	WriteUsers   = "users:write"
	DeleteUsers  = "users:delete"
	AssignRoles  = "roles:assign" // beside WriteUsers, to give roles to people or take them away
	ReadSessions = "sessions:read"
	EndSessions  = "sessions:end"
	ReadRoles    = "roles:read" // permissions, too
	WriteRoles   = "roles:write"
	ReadKeys     = "keys:read"
	WriteKeys    = "keys:write"
	ReadAudit    = "audit:read"
	ReadSettings = "settings:read"
)

const (
	prefix = "/api/v1/admin"
	fresh  = ostiary.Fresh(time.Hour) // how old the last proof may be for a change
)

// Config is what the part works with.
type Config struct {
	// Passwords lets administrators give a new person a password. Nil: people are created without one and choose it by the
	// reset mail.
	Passwords Passwords
}

// Passwords is what the method of passwords offers.
type Passwords interface {
	// Prepare checks a new password against the policy, with words that it must not be made of, and hashes it.
	Prepare(ctx context.Context, password string, words ...string) (hash string, err error)
	// Put makes the hash the person's password, in the transaction of the caller.
	Put(ctx context.Context, t *ostiary.Tx, userID, hash string) error
}

// Part serves the administrators' routes. Make it with [New].
type Part struct {
	cfg    Config
	engine *ostiary.Engine
}

// New makes the part.
func New(cfg Config) *Part { return &Part{cfg: cfg} }

// Name is "admin".
func (p *Part) Name() string { return "admin" }

// Routes returns the routes. None declares a scope, so that keys and tokens of other clients are refused by all (R2).
func (p *Part) Routes(e *ostiary.Engine) ([]ostiary.Route, error) {
	p.engine = e
	routes := p.userRoutes()
	routes = append(routes, p.sessionRoutes()...)
	routes = append(routes, p.roleRoutes()...)
	routes = append(routes, p.keyRoutes()...)
	return append(routes, p.otherRoutes()...), nil
}

func read(permission string) []ostiary.Check { return []ostiary.Check{ostiary.Permission(permission)} }

func change(permission string) []ostiary.Check {
	return []ostiary.Check{ostiary.Permission(permission), fresh}
}

func (p *Part) otherRoutes() []ostiary.Route {
	return []ostiary.Route{
		{
			Name: "admin.audit.list", Pattern: "GET " + prefix + "/audit", Need: read(ReadAudit), Serve: ostiary.JSON(p.audit),
			Doc: "Lists what happened, newest first; a kind that ends in a dot selects all that begin with it.",
		},
		{
			Name: "admin.settings.get", Pattern: "GET " + prefix + "/settings", Need: read(ReadSettings), Serve: ostiary.JSON(p.settings),
			Doc: "Returns the effective settings that are no secret.",
		},
	}
}

func (p *Part) settings(context.Context, *ostiary.Call, *ostiary.None) (ostiary.Settings, error) {
	return p.engine.Settings(), nil
}

// administer runs a change, and answers for an id that does not exist.
func (p *Part) administer(ctx context.Context, c *ostiary.Call, fn func(t *ostiary.AdminTx) error) error {
	return ostiary.Found(p.engine.Administer(ctx, c, fn))
}
