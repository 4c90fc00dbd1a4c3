package authz

import (
	"fmt"
	"slices"
	"strings"
)

// The limits of a policy.
const (
	MaxRoles  = 10_000
	MaxDepth  = 32        // roles on the longest path of inheritance
	MaxGrants = 1_000_000 // permissions of all roles together, counted again in every role that inherits them
)

// Policy is a compiled set of roles. It never changes and is safe for concurrent use. The zero Policy denies everything.
type Policy struct {
	roles []Role // as given
	index map[string]int
	rules []rules // of the role with the same index, inheritance included
}

// Compile checks roles and flattens their inheritance. It refuses names and permissions that are not valid, a role,
// permission or parent that is given twice, a parent that does not exist, a cycle (which the error names), and whatever
// exceeds a limit of this package. It keeps nothing of its argument.
func Compile(roles []Role) (*Policy, error) {
	if len(roles) > MaxRoles {
		return nil, fmt.Errorf("compile roles: %d roles, at most %d are allowed", len(roles), MaxRoles)
	}
	p := &Policy{index: make(map[string]int, len(roles)), rules: make([]rules, len(roles))}
	for i, r := range roles {
		if err := r.valid(); err != nil {
			return nil, fmt.Errorf("compile roles: %w", err)
		}
		if _, taken := p.index[r.Name]; taken {
			return nil, fmt.Errorf("compile roles: role %q is given twice", r.Name)
		}
		p.index[r.Name] = i
		p.roles = append(p.roles, r.clone())
	}
	c := compiler{Policy: p, depth: make([]int, len(roles))}
	for i := range p.roles {
		if err := c.visit(i); err != nil {
			return nil, fmt.Errorf("compile roles: %w", err)
		}
	}
	return p, nil
}

// Roles returns a copy of the roles, in the order in which they were given.
func (p *Policy) Roles() []Role {
	out := make([]Role, len(p.roles))
	for i, r := range p.roles {
		out[i] = r.clone()
	}
	return out
}

// Permissions returns the patterns that a person with these roles has, inherited ones included: as they were written,
// sorted, each once. It is empty, never nil, when there are none. Roles that do not exist are passed over.
func (p *Policy) Permissions(roles []string) []string {
	seen := make(map[string]bool)
	for todo := slices.Clone(roles); len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		i, known := p.index[name]
		if !known || seen[name] {
			continue
		}
		seen[name] = true
		todo = append(todo, p.roles[i].Inherits...)
	}
	out := []string{}
	for name := range seen {
		out = append(out, p.roles[p.index[name]].Permissions...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// compiler is the state of one walk over the inheritance, parents before children.
type compiler struct {
	*Policy
	depth  []int // 0: not visited
	path   []int // from where the walk began to where it is
	grants int
}

func (c *compiler) visit(i int) error {
	if c.depth[i] > 0 {
		return nil
	}
	if from := slices.Index(c.path, i); from >= 0 {
		return fmt.Errorf("inheritance goes round in a cycle: %s", c.names(append(c.path[from:], i)))
	}
	c.path = append(c.path, i)
	depth := 1
	for _, name := range c.roles[i].Inherits {
		parent, known := c.index[name]
		if !known {
			return fmt.Errorf("role %q: inherits %q, which does not exist", c.roles[i].Name, name)
		}
		if err := c.visit(parent); err != nil {
			return err
		}
		depth = max(depth, c.depth[parent]+1)
	}
	if depth > MaxDepth {
		return fmt.Errorf("role %q: inherits over more than %d levels", c.roles[i].Name, MaxDepth)
	}
	c.path = c.path[:len(c.path)-1]
	c.depth[i] = depth
	return c.flatten(i)
}

// flatten fills the rules of a role whose parents are done.
func (c *compiler) flatten(i int) error {
	size := len(c.roles[i].Permissions)
	for _, name := range c.roles[i].Inherits {
		size += c.rules[c.index[name]].size()
	}
	if c.grants += size; c.grants > MaxGrants {
		return fmt.Errorf("role %q: more than %d permissions in all roles together, inherited ones included", c.roles[i].Name, MaxGrants)
	}
	for _, s := range c.roles[i].Permissions {
		pat, _ := parse(s)
		c.rules[i].add(pat, &grant{role: c.roles[i].Name, pattern: s, own: pat.own})
	}
	for _, name := range c.roles[i].Inherits {
		c.rules[i].merge(&c.rules[c.index[name]])
	}
	return nil
}

// names prints a cycle, shortened when it is long.
func (c *compiler) names(path []int) string {
	const shown = 10
	var b strings.Builder
	for n, i := range path {
		if n > 0 {
			b.WriteString(" → ")
		}
		if n == shown && len(path) > shown+2 {
			fmt.Fprintf(&b, "… %d more … → %s", len(path)-shown-1, c.roles[path[0]].Name)
			break
		}
		b.WriteString(c.roles[i].Name)
	}
	return b.String()
}
