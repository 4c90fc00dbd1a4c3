package authz

import "fmt"

// Request asks whether a person may do something.
type Request struct {
	Roles      []string // of the person; those that do not exist grant nothing
	Permission string   // what is to be done: "resource:action" without "*" and without ":own"
	UserID     string   // the person; "" owns nothing
	Resource   Resource
}

// Why is the reason of a decision.
type Why uint8

// The reasons. All but Granted deny.
const (
	NoGrant   Why = iota // no role of the person grants it
	Granted              // Role has it, by Pattern
	NotOwner             // Role has it by Pattern, but only for what the person owns
	Malformed            // Permission is not one that can be asked for
)

// Decision is the answer to a Request. The zero Decision denies.
type Decision struct {
	Allowed    bool
	Why        Why
	Permission string // as asked
	Role       string // the person's role; "" for NoGrant and Malformed
	From       string // the role that states Pattern: Role, or one that it inherits
	Pattern    string
}

// Decide answers a request; what no role grants is denied. Of several roles that grant it, the first is named. It does not
// allocate.
func (p *Policy) Decide(q Request) Decision {
	want, f := parse(q.Permission)
	if f != noFault || !want.concrete() {
		return Decision{Why: Malformed, Permission: q.Permission}
	}
	owner := q.UserID != "" && q.UserID == q.Resource.Owner
	denied := Decision{Why: NoGrant, Permission: q.Permission}
	for _, name := range q.Roles {
		i, known := p.index[name]
		if !known {
			continue
		}
		g, allowed := p.rules[i].find(q.Permission, want, owner)
		if allowed {
			return Decision{true, Granted, q.Permission, name, g.role, g.pattern}
		}
		if g != nil && denied.Why == NoGrant {
			denied = Decision{false, NotOwner, q.Permission, name, g.role, g.pattern}
		}
	}
	return denied
}

// String explains the decision in one sentence, for logs and administrators.
func (d Decision) String() string {
	switch d.Why {
	case Granted:
		return fmt.Sprintf("%s is allowed: %s", d.Permission, d.source())
	case NotOwner:
		return fmt.Sprintf("%s is denied: %s, and the person does not own the resource", d.Permission, d.source())
	case Malformed:
		return fmt.Sprintf("%.*q is denied: it is not a permission that can be asked for", MaxPermission, d.Permission)
	}
	return fmt.Sprintf("%s is denied: no role of the person grants it", d.Permission)
}

func (d Decision) source() string {
	if d.From == d.Role {
		return fmt.Sprintf("role %q has %q", d.Role, d.Pattern)
	}
	return fmt.Sprintf("role %q inherits %q from role %q", d.Role, d.Pattern, d.From)
}
