// Package totp is the second factor that an authenticator app computes (RFC 6238), and the backup codes for the day when it
// is not at hand.
//
// It owns the secrets, the codes and that each of them works once. It does not own when a second factor is due, how often
// one may guess, who is signed in afterwards, trusted browsers, or recovery of a lost factor: those are the engine's.
package totp
