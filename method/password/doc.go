// Package password owns what is special about passwords: which ones are good enough, and how many are hashed at a time.
//
// It does not own the hash itself (internal/phc), who may try how often, or what a right password leads to: that is the
// engine's.
package password
