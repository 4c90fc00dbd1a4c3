// Package password owns sign-in with an address and a password: sign-up, sign-in, forgotten and changed passwords, the
// confirmation and change of the address that both need, and the first administrator. It says which passwords are good
// enough, and how many are hashed at a time.
//
// It does not own the hash itself (internal/phc), who may try how often, or what a right password leads to: that is the
// engine's. It never sees a session or a token.
package password
