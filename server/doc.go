// Package server owns the wiring: every method and part behind one flat [Config], with files, database and mail. The binary
// is a thin user of it, and so may be any program:
//
//	auth, err := server.New(ctx, server.Config{URL: "https://app.example.com/auth", Data: "auth-data"})
//	mux.Handle("/auth/", auth)
//	mux.Handle("/.well-known/", auth)
//
// It decides nothing about sign-in, which is the engine's, and it neither parses flags nor listens: that is the binary's.
package server
