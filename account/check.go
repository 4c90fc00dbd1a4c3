package account

import (
	"context"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/authz"
	"github.com/ostiary/ostiary/internal/list"
)

// Decision says whether the person may do something.
type Decision struct {
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason" jsonschema:"One of granted, owner_only (only for what one owns), not_granted."`
}

type checkInput struct {
	Permission string `query:"permission" jsonschema:"What is to be done: resource:action, like posts:create."`
}

// check answers 200 whatever the decision is: being denied is an answer, not an error. What cannot be asked for (a pattern,
// another grammar, nothing) is invalid_request.
func (p *Part) check(_ context.Context, c *ostiary.Call, in *checkInput) (Decision, error) {
	d := p.engine.Decide(c.Principal, in.Permission, authz.Resource{})
	switch d.Why {
	case authz.Granted:
		return Decision{Allowed: true, Reason: "granted"}, nil
	case authz.NotOwner:
		return Decision{Reason: "owner_only"}, nil
	case authz.Malformed:
		return Decision{}, list.Wrong("query.permission", `must be like posts:create: one resource and one action of a-z, 0-9, "_", ".", "-"`)
	}
	return Decision{Reason: "not_granted"}, nil
}
