package authz_test

import (
	"fmt"

	"github.com/ostiary/ostiary/authz"
)

func ExamplePolicy_Decide() {
	policy, err := authz.Compile([]authz.Role{
		{Name: "author", Permissions: []string{"posts:create", "posts:update:own"}},
		{Name: "editor", Permissions: []string{"posts:update"}, Inherits: []string{"author"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	post := authz.Resource{Type: "post", ID: "7", Owner: "ada"}
	fmt.Println(policy.Decide(authz.Request{Roles: []string{"author"}, UserID: "bob", Permission: "posts:update", Resource: post}))
	fmt.Println(policy.Decide(authz.Request{Roles: []string{"editor"}, UserID: "bob", Permission: "posts:update", Resource: post}))
	// Output:
	// posts:update is denied: role "author" has "posts:update:own", and the person does not own the resource
	// posts:update is allowed: role "editor" has "posts:update"
}

func ExampleMatch() {
	fmt.Println(authz.Match("*:read", "posts:read"), authz.Match("*:read", "posts:delete"))
	// Output: true false
}
