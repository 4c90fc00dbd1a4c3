// Package apikey owns the keys of machines: making, listing, rotating and revoking them, recognising one in a request, and
// noting when it was used.
//
// A key acts for its owner, a person or an account without sign-in that administrators make for a machine. It may do what
// both the owner's roles at this moment and its scopes allow. It never counts as a fresh proof or as two factors, and
// reaches no route of credentials, sessions, keys or administration: that is decided by the engine, not here.
//
// Its text is ost_live_ or ost_test_, 256 random bits and a checksum, so that scanners of secrets recognise one that was
// published, and garbage is refused without a lookup. It is shown once; the SHA-256 of it is stored (R33).
package apikey
