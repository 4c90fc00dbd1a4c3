package ostiary

import (
	"context"
	"net/netip"

	"github.com/ostiary/ostiary/store"
)

// The kinds of events that the engine records. Methods and parts add their own. A successful refresh, a request and a
// cache hit are metrics, not events: rotation adds no rows.
const (
	eventSessionCreated  = "session.created"
	eventSessionEnded    = "session.ended"
	eventSessionsEnded   = "session.ended_all"
	eventReauthenticated = "session.reauthenticated"
	eventTokenReused     = "token.reused"
	eventRolledBack      = "store.rolled_back"
	eventUserCreated     = "user.created"
	eventUserUpdated     = "user.updated"
	eventUserDeleted     = "user.deleted"
	eventUserDisabled    = "user.disabled"
	eventUserEnabled     = "user.enabled"
	eventRolesChanged    = "user.roles_changed"
	eventEmailVerified   = "user.email_verified"
	eventEmailChanged    = "user.email_changed"
	eventFirstProof      = "user.first_proof"
	eventIdentityLinked  = "identity.linked"
	eventRoleSaved       = "role.saved"
	eventRoleDeleted     = "role.deleted"
	eventKeyRotated      = "key.rotated"
	eventKeyRevoked      = "key.revoked"
	eventSetupDone       = "setup.completed"
	eventRestored        = "store.restored"

	eventDeviceTrusted     = "device.trusted"
	eventDeviceDistrusted  = "device.distrusted"
	eventFactorsReset      = "mfa.reset"
	eventRecoveryAsked     = "mfa.recovery_requested"
	eventRecoveryCancelled = "mfa.recovery_cancelled"
	eventRecovered         = "mfa.recovered"
	eventUnlocked          = "user.unlocked"
	eventAttempts          = "attack.account"
	eventSpray             = "attack.spray"
)

// Actors that are not people.
const (
	ActorSystem = "system" // the engine itself: sweeps, rotation
	ActorCLI    = "cli"    // the command line
)

// event fills in what every event of a call has in common.
func (a *Auth) event(c *Call, kind, subject string, detail map[string]string) store.Event {
	e := store.Event{ID: newID(a.now()), Kind: kind, At: a.now(), Subject: subject, Detail: detail}
	if c == nil {
		e.Actor = ActorSystem
		return e
	}
	e.Source, e.RequestID, e.Actor = c.Source, c.RequestID, c.actor
	if c.Principal != nil {
		e.SessionID, e.ClientID = c.Principal.SessionID, c.Principal.ClientID
		if c.Principal.User != nil {
			e.Actor = c.Principal.User.ID
		}
	}
	return e
}

func (t *Tx) record(ctx context.Context, e store.Event) error {
	if !e.Source.IsValid() {
		e.Source = netip.Addr{}
	}
	return fault("record event", t.tx.Events().Record(ctx, e))
}

// Emit records an event of the given kind ("password.changed") about a person, with its cause. Detail never holds a secret.
func (t *Tx) Emit(ctx context.Context, kind, subject string, detail map[string]string) error {
	return t.record(ctx, t.a.event(t.c, kind, subject, detail))
}
