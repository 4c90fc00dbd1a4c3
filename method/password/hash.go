package password

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/internal/phc"
	"github.com/ostiary/ostiary/store"
)

// nobody is the ID under which an account that does not exist is looked up, so that it takes the same reads as one that
// does.
const nobody = "00000000-0000-0000-0000-000000000000"

// stored returns a person's password, which has the person's ID as its lookup value: so there is at most one. ok is false
// when there is none.
func stored(ctx context.Context, v *ostiary.Vault, userID string) (c ostiary.Credential, ok bool, err error) {
	c, err = v.ByLookup(ctx, userID)
	ok, err = found(err)
	return c, ok, err
}

// judge checks a new password, by the rules and then among stolen ones, and returns its normal form. field is where the
// input holds it, about what belongs to the person. It may ask another machine, so it is called outside of transactions,
// and before anything depends on whether there is an account (R34, R35).
func (m *Method) judge(ctx context.Context, field, password string, about ...string) (string, error) {
	normal, err := m.policy.Check(password, append(about, m.kit.Product(), m.kit.Host())...)
	if err == nil && m.breached(ctx, normal) {
		err = errBreached
	}
	if err == nil {
		return normal, nil
	}
	weak := new(Weakness)
	if !errors.As(err, &weak) {
		return "", err
	}
	e := ostiary.Fail(400, "weak_password", weak.Text)
	e.Fields = []ostiary.FieldError{{Location: field, Message: weak.Text, Code: weak.Code}}
	return "", e
}

// hash makes the hash of a password in its normal form, when its turn comes.
func (m *Method) hash(ctx context.Context, c *ostiary.Call, normal string) (encoded string, err error) {
	if poolErr := m.run(ctx, c, func() { encoded, err = m.params.Hash([]byte(normal)) }); poolErr != nil {
		return "", poolErr
	}
	return encoded, err
}

// compare says whether a password is the one that was stored. An empty encoded stands for an account without one: that
// takes as long (R35). renewed is a new hash when the stored one was not made with the present parameters.
func (m *Method) compare(ctx context.Context, c *ostiary.Call, encoded, password string) (ok bool, renewed string, err error) {
	normal, weak := Normal(password)
	if weak != nil {
		return false, "", nil // longer than any password that was ever stored: refused before any work
	}
	poolErr := m.run(ctx, c, func() {
		if encoded == "" {
			_, _ = phc.Verify(m.dummy, []byte(normal))
			return
		}
		if ok, err = phc.Verify(encoded, []byte(normal)); err != nil {
			_, _ = phc.Verify(m.dummy, []byte(normal))
			return
		}
		if ok && m.params.Outdated(encoded) {
			renewed, err = m.params.Hash([]byte(normal))
		}
	})
	if poolErr != nil {
		return false, "", poolErr
	}
	if errors.Is(err, phc.ErrFormat) {
		m.kit.Log.ErrorContext(ctx, "a stored password hash cannot be read; its owner cannot sign in with it", "error", err)
		return false, "", nil
	}
	return ok, renewed, err
}

// run waits for a place in the pool. Somebody who is signed in, or comes from a device that signed in to this account before,
// does not queue behind strangers (R38).
func (m *Method) run(ctx context.Context, c *ostiary.Call, fn func()) error {
	var source netip.Addr
	known := true
	if c != nil {
		source, known = c.Source, c.Principal != nil || c.KnownDevice
	}
	err := m.pool.Do(ctx, source, known, fn)
	if busy := new(BusyError); errors.As(err, &busy) {
		return errOverloaded.After(busy.RetryAfter).Because(err)
	}
	return err
}

// confirm checks the password of a person who is known already. errWrong also when there is none.
func (m *Method) confirm(ctx context.Context, c *ostiary.Call, userID, password string) (ostiary.Credential, error) {
	cred, _, err := stored(ctx, m.kit.Credentials, userID)
	if err != nil {
		return cred, err
	}
	ok, renewed, err := m.compare(ctx, c, string(cred.Data), password)
	if err != nil {
		return cred, err
	}
	if !ok {
		return cred, errWrong
	}
	return m.renew(ctx, cred, renewed), nil
}

// renew keeps a hash that was made again with the present parameters. If the password was changed at the same moment, that
// wins.
func (m *Method) renew(ctx context.Context, cred ostiary.Credential, encoded string) ostiary.Credential {
	if encoded == "" {
		return cred
	}
	next := cred
	next.Data = []byte(encoded)
	err := m.kit.Credentials.Update(ctx, next)
	if err == nil {
		next.Version++
		return next
	}
	if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound) {
		m.kit.Log.WarnContext(ctx, "a password hash could not be brought up to date", "error", err)
	}
	return cred
}

// Verify checks a person's own password, to prove again that it is he.
func (m *Method) Verify(ctx context.Context, c *ostiary.Call, userID string, response json.RawMessage) (ostiary.Proof, error) {
	var password string
	if err := json.Unmarshal(response, &password); err != nil {
		return ostiary.Proof{}, errMalformed.At("body.password", "must be a string")
	}
	if _, err := m.confirm(ctx, c, userID, password); err != nil {
		return ostiary.Proof{}, err
	}
	return ostiary.Proof{UserID: userID, AMR: []string{"pwd"}}, nil
}

// Prepare checks a new password that somebody else chose (an administrator, the command line) and hashes it: before a
// transaction, for [Method.Put] in it. words are what an attacker would try first: address, name. weak_password, overloaded. The
// method must belong to an engine already.
func (m *Method) Prepare(ctx context.Context, password string, words ...string) (hash string, err error) {
	normal, err := m.judge(ctx, "body.password", password, words...)
	if err != nil {
		return "", err
	}
	return m.hash(ctx, nil, normal)
}

// Put sets a person's password to a hash of [Method.Prepare], inside anybody's transaction. Where one is replaced, the
// person is signed out everywhere and told, and open reset links die. It does not ask whether the caller may do that.
func (m *Method) Put(ctx context.Context, t *ostiary.Tx, userID, hash string) error {
	vault, desk := m.kit.In(t)
	u, err := t.User(ctx, userID)
	if err != nil {
		return err
	}
	cred, ok, err := stored(ctx, vault, userID)
	if err != nil {
		return err
	}
	if err := put(ctx, vault, cred, userID, hash); err != nil {
		return err
	}
	if !ok {
		return t.Emit(ctx, "password.set", userID, nil)
	}
	return m.replaced(ctx, t, desk, u, "password.set")
}

// put stores a hash over cred, or anew when cred is none.
func put(ctx context.Context, v *ostiary.Vault, cred ostiary.Credential, userID, hash string) error {
	if cred.ID == "" {
		_, err := v.Create(ctx, ostiary.Credential{UserID: userID, Lookup: userID, Data: []byte(hash)})
		return err
	}
	cred.Data = []byte(hash)
	return v.Update(ctx, cred)
}

// replaced does what follows every new password over an old one: sessions end, what could undo it dies, the person is told.
func (m *Method) replaced(ctx context.Context, t *ostiary.Tx, desk *ostiary.Desk, u ostiary.User, event string) error {
	for _, kind := range []string{kindReset, kindChange} {
		if err := desk.Void(ctx, kind, u.ID); err != nil {
			return err
		}
	}
	if err := t.EndSessions(ctx, u.ID); err != nil {
		return err
	}
	others, err := t.Beside(ctx, u.ID, m.Name())
	if err != nil {
		return err
	}
	err = t.Mail(ctx, u, "password_changed", map[string]string{"Link": m.kit.Link("/forgot"), "Factors": strings.Join(others, ",")})
	if err != nil {
		return err
	}
	return t.Emit(ctx, event, u.ID, nil)
}

// Generate returns a random password of 130 bits, to be shown once.
func Generate() string {
	text := strings.ToLower(rand.Text())
	return text[:6] + "-" + text[6:13] + "-" + text[13:19] + "-" + text[19:]
}
