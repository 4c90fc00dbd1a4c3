package docs_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/server"
)

// The whole of a program with sign-in.
func Example_embed() {
	auth, err := server.New(context.Background(), server.Config{URL: "http://localhost:8080/auth"})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/auth/", auth)
	http.Handle("/", auth.Require()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Hello,", ostiary.UserFrom(r.Context()).Email)
	})))
	log.Fatal(http.ListenAndServe("localhost:8080", nil))
}
