package ostiarytest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/ostiarytest"
)

func ExampleNew() {
	// In a file of yours that ends in _test.go, this function is called TestProfile.
	test := func(t *testing.T) {
		t.Parallel()
		s := ostiarytest.New(t, nil)
		s.Handle("GET /profile", s.Auth.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, ostiary.UserFrom(r.Context()).Email)
		})))
		resp, err := s.SignUp(t, "ada@example.com").Get(s.Origin + "/profile")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("got %s", resp.Status)
		}
	}
	_ = test
}
