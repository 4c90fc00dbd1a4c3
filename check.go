package ostiary

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/authz"
)

// Check is a condition on the caller. The checks of this package are all there are.
type Check interface {
	fmt.Stringer
	check(a *Auth, p *Principal, r *http.Request) error
}

// Permission demands that one of the person's roles grants it: "todos:read".
type Permission string

func (c Permission) String() string { return "permission " + string(c) }

func (c Permission) check(a *Auth, p *Principal, _ *http.Request) error {
	if d := a.decide(p, string(c), authz.Resource{}); !d.Allowed {
		return errForbidden.Because(fmt.Errorf("%s", d))
	}
	return nil
}

// Role demands that the person has the role, by name and without inheritance.
type Role string

func (c Role) String() string { return "role " + string(c) }

func (c Role) check(_ *Auth, p *Principal, _ *http.Request) error {
	if p.User == nil || !p.FirstParty() || !slices.Contains(p.User.Roles, string(c)) {
		return errForbidden.Because(fmt.Errorf("needs %s", c))
	}
	return nil
}

// Scope lets tokens of other clients in that hold it. First-party callers pass.
type Scope string

func (c Scope) String() string { return "scope " + string(c) }

func (c Scope) check(_ *Auth, p *Principal, _ *http.Request) error {
	if p.FirstParty() || slices.Contains(p.Scopes, string(c)) {
		return nil
	}
	e := *errScope
	e.Challenge = `error="insufficient_scope", scope=` + strconv.Quote(string(c))
	return &e
}

// Fresh demands that the person was authenticated no longer ago than this (RFC 9470). API keys and tokens of other clients
// never are (R28).
type Fresh time.Duration

func (c Fresh) String() string { return "authenticated within " + time.Duration(c).String() }

func (c Fresh) check(a *Auth, p *Principal, _ *http.Request) error {
	if p.FirstParty() && a.now().Sub(p.AuthAt) <= time.Duration(c) && !p.skippedFactor() {
		return nil
	}
	e := *errReauthenticate
	e.Challenge = fmt.Sprintf(`error="insufficient_user_authentication", error_description="A more recent sign-in is needed", max_age=%d`, int(time.Duration(c).Seconds()))
	return &e
}

// skippedFactor says whether the person has a second factor that was not asked for, because the browser is trusted: such a
// proof is not one at the highest level that is enrolled.
func (p *Principal) skippedFactor() bool {
	return p.person != nil && len(p.person.factors) > 0 && slices.Contains(p.AMR, amrTrusted)
}

type mfa struct{}

// MFA demands that two factors of different categories were shown (acr "aal2").
func MFA() Check { return mfa{} }

func (mfa) String() string { return "two factors" }

func (mfa) check(_ *Auth, p *Principal, _ *http.Request) error {
	if p.FirstParty() && p.ACR == acrTwo {
		return nil
	}
	e := *errReauthenticate
	e.Challenge = `error="insufficient_user_authentication", error_description="A second factor is needed", acr_values="aal2"`
	return &e
}

type owner struct {
	permission string
	of         func(*http.Request) (string, error)
}

// Owner demands a permission that may be limited to what one owns ("posts:update", granted as "posts:update:own"): of
// returns the user ID of the resource's owner.
func Owner(permission string, of func(r *http.Request) (ownerID string, err error)) Check {
	return owner{permission, of}
}

func (c owner) String() string { return "permission " + c.permission + ", or ownership" }

func (c owner) check(a *Auth, p *Principal, r *http.Request) error {
	id, err := c.of(r)
	if err != nil {
		return err
	}
	if d := a.decide(p, c.permission, authz.Resource{Owner: id}); !d.Allowed {
		return errForbidden.Because(fmt.Errorf("%s", d))
	}
	return nil
}
