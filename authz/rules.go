package authz

// grant is one permission of one role, shared by all roles that inherit it.
type grant struct {
	role    string // that states it
	pattern string
	own     bool
}

// rules is everything that a role grants, by the shape of the pattern, so that a decision is at most four look-ups. A
// pattern without ":own" replaces the same pattern with it; else the nearer role wins.
type rules struct {
	exact    map[string]*grant // "posts:update"
	resource map[string]*grant // "posts" for "posts:*"
	action   map[string]*grant // "read" for "*:read"
	all      *grant            // "*:*"
}

func (r *rules) size() int {
	n := len(r.exact) + len(r.resource) + len(r.action)
	if r.all != nil {
		n++
	}
	return n
}

func (r *rules) add(p pattern, g *grant) {
	switch {
	case p.resource == wildcard && p.action == wildcard:
		r.all = stronger(r.all, g)
	case p.resource == wildcard:
		put(&r.action, p.action, g)
	case p.action == wildcard:
		put(&r.resource, p.resource, g)
	default:
		put(&r.exact, p.resource+":"+p.action, g)
	}
}

func (r *rules) merge(parent *rules) {
	for k, g := range parent.exact {
		put(&r.exact, k, g)
	}
	for k, g := range parent.resource {
		put(&r.resource, k, g)
	}
	for k, g := range parent.action {
		put(&r.action, k, g)
	}
	if parent.all != nil {
		r.all = stronger(r.all, parent.all)
	}
}

// find returns the grant that allows what is asked: permission, and want, its parts. When there is none it returns one that
// would allow it to the owner, or nil.
func (r *rules) find(permission string, want pattern, owner bool) (g *grant, allowed bool) {
	var own *grant
	for _, g := range [...]*grant{r.exact[permission], r.resource[want.resource], r.action[want.action], r.all} {
		if g == nil {
			continue
		}
		if !g.own || owner {
			return g, true
		}
		if own == nil {
			own = g
		}
	}
	return own, false
}

func put(m *map[string]*grant, key string, g *grant) {
	if *m == nil {
		*m = make(map[string]*grant)
	}
	(*m)[key] = stronger((*m)[key], g)
}

func stronger(have, other *grant) *grant {
	if have == nil || have.own && !other.own {
		return other
	}
	return have
}
