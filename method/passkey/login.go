package passkey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

type finishLoginInput struct {
	ostiary.Deliver
	Ticket     string          `json:"ticket"`
	Credential json.RawMessage `json:"credential"`
}

// finishLogin finds out who somebody is by the passkey that answered.
func (m *Method) finishLogin(ctx context.Context, c *ostiary.Call, in *finishLoginInput) (ostiary.Proof, error) {
	if m.party == nil {
		return ostiary.Proof{}, errUnavailable
	}
	parsed, err := parseUsed(in.Credential)
	if err != nil {
		return ostiary.Proof{}, err
	}
	return m.prove(ctx, c, use{purpose: forLogin, ticket: in.Ticket, parsed: parsed, refusal: errUnknown})
}

// use is one use of a passkey.
type use struct {
	purpose, ticket string
	userID          string // whose passkey it must be; "" for a sign-in that names nobody
	parsed          *protocol.ParsedCredentialAssertionData
	refusal         *ostiary.Error
}

// prove checks an assertion (WebAuthn §7.2) and then, in one transaction, uses its challenge up and writes down the use.
// What is refused before costs no write.
func (m *Method) prove(ctx context.Context, c *ostiary.Call, u use) (ostiary.Proof, error) {
	owner, err := m.kit.Tickets.Peek(ctx, u.purpose, u.ticket, nil)
	if err != nil {
		return ostiary.Proof{}, asTicket(err)
	}
	if owner != "" && owner != u.userID {
		return ostiary.Proof{}, errTicket.Because(errors.New("the challenge was made for somebody else"))
	}
	e, err := m.find(ctx, m.kit.Credentials, u)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if err := m.check(e, u); err != nil {
		return ostiary.Proof{}, u.refusal.Because(explain(err))
	}
	return m.used(ctx, c, u)
}

// find looks up the passkey that answered.
func (m *Method) find(ctx context.Context, v *ostiary.Vault, u use) (entry, error) {
	row, err := v.ByLookup(ctx, b64.EncodeToString(u.parsed.RawID))
	if errors.Is(err, store.ErrNotFound) {
		return entry{}, u.refusal.Because(err)
	}
	if err != nil {
		return entry{}, err
	}
	if u.userID != "" && row.UserID != u.userID {
		return entry{}, u.refusal.Because(errors.New("the passkey is somebody else's"))
	}
	return open(row)
}

// check verifies origin, relying party, type, challenge, handle, flags and signature. An answer that nobody was named for
// must name its person by the handle.
func (m *Method) check(e entry, u use) error {
	if handle := u.parsed.Response.UserHandle; u.userID == "" && !bytes.Equal(handle, e.Handle) {
		return errors.New("the user handle is missing or not the one of the passkey")
	}
	credential, err := e.credential()
	if err != nil {
		return err
	}
	who := holder{handle: e.Handle, credentials: []webauthn.Credential{credential}}
	_, err = m.party.web.ValidateLogin(who, m.party.session(u.ticket, e.Handle), u.parsed)
	return err
}

// used writes a use down. A signature counter that did not grow means that there are two copies of the key: nobody gets in
// with it, and the person is told (WebAuthn §6.1.1).
func (m *Method) used(ctx context.Context, c *ostiary.Call, u use) (ostiary.Proof, error) {
	var proof ostiary.Proof
	cloned := false
	err := m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if _, err := t.Tickets.Redeem(ctx, u.purpose, u.ticket, nil); err != nil {
			return asTicket(err)
		}
		e, err := m.find(ctx, t.Credentials, u)
		if err != nil {
			return err
		}
		who, err := t.User(ctx, e.row.UserID)
		if err != nil {
			return err
		}
		data := u.parsed.Response.AuthenticatorData
		if cloned = regressed(e.SignCount, data.Counter); cloned {
			return m.suspect(ctx, t, who, e)
		}
		proof = ostiary.Proof{UserID: who.ID, Epoch: who.Epoch, AMR: amr(data.Flags), UserVerified: data.Flags.HasUserVerified()}
		return m.note(ctx, t, e, data)
	})
	if err != nil {
		return ostiary.Proof{}, err
	}
	if cloned {
		return ostiary.Proof{}, u.refusal.Because(errors.New("the signature counter went back: the passkey may be cloned"))
	}
	return proof, nil
}

// regressed says whether a counter did not grow. Authenticators that do not count always say 0.
func regressed(stored, given uint32) bool { return stored != 0 && given != 0 && given <= stored }

// note keeps the counter, the flags and the time of a use, by compare-and-swap.
func (m *Method) note(ctx context.Context, t *ostiary.Tx, e entry, data protocol.AuthenticatorData) error {
	before := e.flags()
	after := before.UpdateWithUVInitialization(data.Flags)
	e.SignCount, e.Flags, e.LastUsed = max(e.SignCount, data.Counter), after.MsgpByte(), m.kit.Now().UTC().Truncate(time.Microsecond)
	row, err := e.sealed()
	if err != nil {
		return err
	}
	if err := t.Credentials.Update(ctx, row); err != nil {
		return err
	}
	if before.BackupState == after.BackupState {
		return nil
	}
	return t.Emit(ctx, "passkey.backup_changed", e.row.UserID, map[string]string{"passkey": e.row.ID, "backed_up": strconv.FormatBool(after.BackupState)})
}

// suspect records that somebody else may have a copy of a passkey.
func (m *Method) suspect(ctx context.Context, t *ostiary.Tx, who ostiary.User, e entry) error {
	if err := t.Emit(ctx, "passkey.clone_suspected", who.ID, map[string]string{"passkey": e.row.ID}); err != nil {
		return err
	}
	return m.tell(ctx, t, who, "passkey_cloned")
}

// amr names what was shown (RFC 8176): a key that cannot leave its hardware or one that is synchronised, and with user
// verification the person himself.
func amr(flags protocol.AuthenticatorFlags) []string {
	shown := []string{"hwk"}
	if flags.HasBackupEligible() {
		shown = []string{"swk"}
	}
	if flags.HasUserVerified() {
		shown = append(shown, "user")
	}
	return shown
}
