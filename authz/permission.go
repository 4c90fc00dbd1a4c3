package authz

import (
	"fmt"
	"strings"
)

// MaxPermission is the length in bytes of the longest permission.
const MaxPermission = 128

const (
	wildcard  = "*"
	ownSuffix = "own"
)

// pattern is a permission taken apart.
type pattern struct {
	resource, action string
	own              bool
}

// concrete says that the pattern is something one can ask for: it names one action on one resource.
func (p pattern) concrete() bool {
	return p.resource != wildcard && p.action != wildcard && !p.own
}

// fault says what is wrong with a permission. It is a number, so that a decision does not allocate an error.
type fault uint8

const (
	noFault fault = iota
	tooLong
	noAction
	badResource
	badAction
	badSuffix
)

func (f fault) String() string {
	switch f {
	case tooLong:
		return fmt.Sprintf("is longer than %d bytes", MaxPermission)
	case noAction:
		return `is not of the form "resource:action"`
	case badResource:
		return `needs a resource of a-z, 0-9, "_", ".", "-", or "*"`
	case badAction:
		return `needs an action of a-z, 0-9, "_", ".", "-", or "*"`
	case badSuffix:
		return `may end only in ":own" after the action`
	}
	return "is valid"
}

// ValidPermission says what is wrong with a permission pattern: "resource:action", both of them a-z, 0-9, "_", ".", "-"
// or a single "*", with the optional suffix ":own"; at most MaxPermission bytes. It returns nil when nothing is.
func ValidPermission(s string) error {
	_, f := parse(s)
	if f == noFault {
		return nil
	}
	if f == tooLong {
		s = s[:MaxPermission] + "…"
	}
	return fmt.Errorf("permission %q %s", s, f)
}

// Match says whether pattern covers permission, that is, whether everything that permission allows is allowed by pattern,
// too. For a concrete permission this is the usual match: "posts:*" covers "posts:read". A wildcard is covered only by a
// wildcard, and a pattern that ends in ":own" covers only what ends in ":own", because the owner is not known here. What
// does not follow the grammar is never covered and covers nothing.
func Match(pattern, permission string) bool {
	have, f := parse(pattern)
	if f != noFault {
		return false
	}
	want, f := parse(permission)
	if f != noFault {
		return false
	}
	return covers(have.resource, want.resource) && covers(have.action, want.action) && (!have.own || want.own)
}

func covers(have, want string) bool { return have == wildcard || have == want }

func parse(s string) (pattern, fault) {
	if len(s) > MaxPermission {
		return pattern{}, tooLong
	}
	resource, rest, found := strings.Cut(s, ":")
	if !found {
		return pattern{}, noAction
	}
	action, suffix, own := strings.Cut(rest, ":")
	switch {
	case !part(resource):
		return pattern{}, badResource
	case !part(action):
		return pattern{}, badAction
	case own && suffix != ownSuffix:
		return pattern{}, badSuffix
	}
	return pattern{resource, action, own}, noFault
}

func part(s string) bool { return s == wildcard || word(s) }

// word says whether s is one or more of [a-z0-9_.-].
func word(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return s != ""
}
