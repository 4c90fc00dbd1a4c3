// Package authz decides who may do what: roles, permissions, ownership.
//
// It owns the grammar of permissions, the inheritance of roles and the decision. It is pure: no clock, no storage, no
// context, nothing that can fail at the time of a decision. It does not know where roles are kept, who is signed in or
// what a resource is; the caller brings those.
//
// A permission is "resource:action", for example "posts:update". A role holds patterns: either part may be "*", and the
// suffix ":own" restricts the pattern to resources that the person owns ("posts:update:own"). What no role grants is
// denied, and a role that the policy does not know grants nothing.
package authz
