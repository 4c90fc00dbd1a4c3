package ostiary

import (
	"context"
	"slices"
	"strings"

	"github.com/ostiary/ostiary/store"
)

// BackupCodes is the name of the method whose credentials stand in for a factor that is not at hand: they demand nothing by
// themselves, and go with the last factor.
const BackupCodes = "backup_code"

// engineMethods begin the method of credentials that are the engine's own: they prove nothing.
const engineMethods = "engine."

func enginesOwn(method string) bool { return strings.HasPrefix(method, engineMethods) }

// engineVault keeps the engine's own credentials of one kind; t is nil outside a transaction.
func (a *Auth) engineVault(kind string, t *Tx) *Vault {
	v := &Vault{method: engineMethods + kind, rows: a.store.Credentials(), a: a}
	if t != nil {
		v.rows, v.log = t.tx.Credentials(), t
	}
	return v
}

// factorsChanged follows every change of what somebody has enrolled, whichever method made it. What was allowed under the
// old conditions is void: sign-ins that wait for a factor, trusted devices, a request for recovery. Backup codes go with the
// last factor.
func (t *Tx) factorsChanged(ctx context.Context, userID string) error {
	creds, err := t.tx.Credentials().Of(ctx, userID)
	if err != nil {
		return fault("read credentials", err)
	}
	enrolled := slices.ContainsFunc(creds, func(c store.Credential) bool { return c.Factor })
	for _, c := range creds {
		if !enginesOwn(c.Method) && (enrolled || c.Method != BackupCodes) {
			continue
		}
		if err := t.tx.Credentials().Delete(ctx, c.ID, 0); err != nil {
			return fault("delete credential", err)
		}
	}
	if err := t.voidRecovery(ctx, userID); err != nil {
		return err
	}
	if err := t.a.engineDesk(t.tx).Void(ctx, pendingKind, userID); err != nil {
		return err
	}
	return t.changed(ctx, userID)
}

// enrolled tells what a new credential changes.
func (v *Vault) enrolled(ctx context.Context, c Credential) error {
	if c.Factor {
		return v.log.factorAdded(ctx, c.UserID)
	}
	return v.tell(ctx, c.UserID)
}

// factorAdded ends every other session when the new factor is the only one: nobody stays, and nobody counts as fresh, who
// came in before it was there (R28).
func (t *Tx) factorAdded(ctx context.Context, userID string) error {
	if err := t.factorsChanged(ctx, userID); err != nil {
		return err
	}
	creds, err := t.tx.Credentials().Of(ctx, userID)
	if err != nil {
		return fault("read credentials", err)
	}
	factors := slices.DeleteFunc(creds, func(c store.Credential) bool { return !c.Factor })
	if len(factors) > 1 {
		return nil
	}
	return t.EndSessions(ctx, userID)
}

// ResetFactors removes all second factors of a person who lost them, with backup codes and trusted devices, and tells the
// person. A factor that is the only way in stays (R31).
func (t *AdminTx) ResetFactors(ctx context.Context, userID string) error {
	if _, _, err := t.reach(ctx, userID); err != nil {
		return err
	}
	return t.resetFactors(ctx, userID, eventFactorsReset)
}

func (t *Tx) resetFactors(ctx context.Context, userID, event string) error {
	u, err := t.tx.Users().Get(ctx, userID)
	if err != nil {
		return fault("read user", err)
	}
	creds, err := t.tx.Credentials().Of(ctx, userID)
	if err != nil {
		return fault("read credentials", err)
	}
	kept := slices.DeleteFunc(slices.Clone(creds), func(c store.Credential) bool { return c.Factor })
	stuck := t.a.enterable(u, creds) && !t.a.enterable(u, kept)
	var removed []string
	for _, c := range creds {
		if !c.Factor || stuck && t.a.wayIn(c.Method) {
			continue
		}
		if err := t.tx.Credentials().Delete(ctx, c.ID, 0); err != nil {
			return fault("delete credential", err)
		}
		removed = append(removed, c.Method)
	}
	if err := t.update(ctx, u); err != nil { // removals of ways in wait for each other
		return err
	}
	if err := t.factorsChanged(ctx, userID); err != nil {
		return err
	}
	slices.Sort(removed)
	if err := t.Emit(ctx, event, userID, map[string]string{"factors": strings.Join(slices.Compact(removed), " ")}); err != nil {
		return err
	}
	return t.Mail(ctx, publicUser(u, false), "mfa_disabled", map[string]string{"Link": t.a.issuer + "/account"})
}
