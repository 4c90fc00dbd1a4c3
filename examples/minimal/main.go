// Command minimal is somebody's program, a list of things to do, with sign-in. What it needed for that stands in run and in
// routes; the rest would be there without. Start it with
//
//	go run ./examples/minimal
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/ostiary/ostiary/server"
)

func main() {
	if err := run(context.Background(), "localhost:8080"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address string) error {
	auth, err := server.New(ctx, server.Config{URL: "http://" + address + "/auth"})
	if err != nil {
		return err
	}
	defer auth.Close()
	log.Printf("open http://%s", address)
	return http.ListenAndServe(address, routes(auth))
}

// routes puts the program together: sign-in under /auth/, and behind it what only people who are signed in may see.
func routes(auth *server.Server) http.Handler {
	todo := &list{items: map[string][]string{}}
	mux := http.NewServeMux()
	mux.Handle("/auth/", auth)
	mux.HandleFunc("GET /{$}", welcome)
	mux.Handle("GET /todo", auth.Require()(http.HandlerFunc(todo.show)))
	mux.Handle("POST /todo", auth.Require()(http.HandlerFunc(todo.add)))
	return mux
}
