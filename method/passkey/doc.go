// Package passkey owns sign-in with passkeys (WebAuthn Level 3): registering them, signing in without typing an address,
// showing one as a second factor or to prove again that it is you, accounts that have nothing but a passkey, and a person's
// list of them.
//
// It does not own CBOR, attestation formats or signatures (go-webauthn), and not what a proof leads to: sessions, factors
// and the last way into an account are the engine's.
package passkey
