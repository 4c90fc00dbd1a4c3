package ostiary

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/ostiary/ostiary/internal/keys"
	"github.com/ostiary/ostiary/store"
)

// A refresh token is version ‖ key id ‖ grant id ‖ generation ‖ MAC (R12): nothing in the database can be presented, garbage
// is refused without a lookup, and rotating adds no rows.
const (
	refreshVersion = 1
	refreshSigned  = 1 + 4 + 16 + 8
	refreshSize    = refreshSigned + sha256.Size
	refreshPurpose = "ostiary refresh v1"
)

// recoveryWindow is how long a repeat is answered in any case (R13a): two tabs, a lost response, a retry.
const recoveryWindow = 10 * time.Second

type refreshToken struct {
	grant      string
	generation int64
}

func (a *Auth) mintRefresh(grant string, generation int64) string {
	return mintRefresh(a.cfg.Key.master, grant, generation)
}

func mintRefresh(master keys.Master, grant string, generation int64) string {
	id, _ := parseUUID(grant)
	kid := master.ID()
	b := make([]byte, 0, refreshSize)
	b = append(b, refreshVersion)
	b = append(b, kid[:]...)
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(generation))
	b = append(b, refreshMAC(master, kid, b)...)
	return b64.EncodeToString(b)
}

func refreshMAC(master keys.Master, kid keys.KeyID, signed []byte) []byte {
	key, ok := master.Derive(kid, refreshPurpose)
	if !ok {
		return nil
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write(signed)
	return mac.Sum(nil)
}

// parseRefresh accepts only what we minted, under any master key that we still have.
func (a *Auth) parseRefresh(raw string) (refreshToken, bool) {
	if len(raw) != b64.EncodedLen(refreshSize) {
		return refreshToken{}, false
	}
	b, err := b64.Strict().DecodeString(raw)
	if err != nil || b[0] != refreshVersion {
		return refreshToken{}, false
	}
	want := refreshMAC(a.cfg.Key.master, keys.KeyID(b[1:5]), b[:refreshSigned])
	if want == nil || !hmac.Equal(want, b[refreshSigned:]) {
		return refreshToken{}, false
	}
	return refreshToken{grant: uuid([16]byte(b[5:21])), generation: int64(binary.BigEndian.Uint64(b[21:29]))}, true
}

// refreshed is a grant at the generation whose token is the answer, and who is behind it.
type refreshed struct {
	grant   store.Grant
	session *liveSession
}

// refresh exchanges a refresh token of our own client. inCookie says how it came: the answer goes the same way (R15).
func (a *Auth) refresh(ctx context.Context, c *Call, raw string, inCookie bool) (*tokenSet, error) {
	presented, ok := a.parseRefresh(raw)
	if !ok {
		return nil, errInvalidToken
	}
	if err := a.follower.Current(ctx); err != nil {
		return nil, fault("confirm the revocation log", err)
	}
	r, err := a.refreshable(ctx, presented.grant, inCookie)
	if err != nil {
		return nil, err
	}
	g, err := a.advance(ctx, c, r.grant, presented.generation)
	if err != nil {
		return nil, err
	}
	a.touch(ctx, r.session, a.now())
	return a.tokenPair(r.session.person, r.session.Session, g)
}

// refreshable reads the grant and everything that must be alive for it.
func (a *Auth) refreshable(ctx context.Context, id string, inCookie bool) (*refreshed, error) {
	g, err := a.store.Grants().Get(ctx, id)
	if isNotFound(err) {
		return nil, errTokenRevoked
	}
	if err != nil {
		return nil, fault("read grant", err)
	}
	if g.ClientID != store.FirstParty || (g.Delivery != store.DeliverBody) != inCookie {
		return nil, errInvalidToken
	}
	if !a.now().Before(g.ExpiresAt) {
		return nil, errTokenExpired
	}
	s, err := a.sessionByID(ctx, g.SessionID)
	if err != nil {
		return nil, err
	}
	if s == nil || s.Epoch != g.Epoch || !a.now().Before(s.ExpiresAt) || a.now().UnixMicro() >= s.idle.Load() {
		return nil, errTokenRevoked
	}
	return &refreshed{g, s}, nil
}

// sessionByID is the session behind a grant, compared with the log; nil when it is over.
func (a *Auth) sessionByID(ctx context.Context, id string) (*liveSession, error) {
	if s, ok := a.byID.Get(id); ok && a.unchanged(s) {
		return s, nil
	}
	version, changes := a.byID.Version(), a.persons.Version()
	rec, err := a.volatile.Sessions().Get(ctx, id)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fault("read session", err)
	}
	s, err := a.live(ctx, rec)
	if err == nil && s != nil && a.persons.Version() == changes {
		a.byID.Put(id, s, version)
	}
	return s, err
}

// advance moves the grant to its next generation, answers a repeat as R13 says, or finds a theft.
func (a *Auth) advance(ctx context.Context, c *Call, g store.Grant, presented int64) (store.Grant, error) {
	for range 3 {
		switch {
		case presented > g.Generation:
			return g, a.rolledBack(ctx, c, g, presented)
		case presented < g.Generation-1:
			return g, a.theft(ctx, c, g)
		case presented == g.Generation-1:
			again, err := a.repeat(ctx, c, g)
			if !errors.Is(err, store.ErrConflict) {
				return again, err
			}
		default:
			next, err := a.rotate(ctx, g)
			if !errors.Is(err, store.ErrConflict) {
				return next, err
			}
		}
		var err error
		if g, err = a.store.Grants().Get(ctx, g.ID); err != nil {
			if isNotFound(err) {
				return g, errTokenRevoked
			}
			return g, fault("read grant", err)
		}
	}
	return g, errUnavailable
}

func (a *Auth) rotate(ctx context.Context, g store.Grant) (store.Grant, error) {
	now := a.now()
	r := store.Rotation{ID: g.ID, From: g.Generation, At: now, ExpiresAt: earlier(now.Add(a.cfg.Tokens.Refresh), g.EndsAt)}
	err := a.store.Grants().Rotate(ctx, r)
	if isNotFound(err) {
		return g, errTokenRevoked
	}
	if err != nil {
		return g, fault("rotate refresh token", err)
	}
	g.Generation, g.RotatedAt, g.ExpiresAt = g.Generation+1, r.At, r.ExpiresAt
	return g, nil
}

// repeat answers the generation just before the newest, whose successor was never used, with the same successor: within
// the window always, later when the grant is bound, and otherwise once and not again until a generation has passed cleanly.
func (a *Auth) repeat(ctx context.Context, c *Call, g store.Grant) (store.Grant, error) {
	if a.now().Sub(g.RotatedAt) <= recoveryWindow || len(g.Binding) > 0 {
		return g, nil
	}
	if g.Recovered != 0 && g.Recovered > g.Generation-2 {
		return g, a.theft(ctx, c, g)
	}
	return g, fault("note late repeat", a.store.Grants().Recover(ctx, g.ID, g.Generation))
}

// rolledBack is a genuine token from the future of the database: somebody restored an old copy. That is no theft (R12).
func (a *Auth) rolledBack(ctx context.Context, c *Call, g store.Grant, presented int64) error {
	a.log.ErrorContext(ctx, "database_rolled_back: a refresh token is newer than its grant; the database was restored from an older copy", "grant", g.ID, "generation", g.Generation, "presented", presented)
	err := a.do(ctx, c, func(t *Tx) error {
		return t.Emit(ctx, eventRolledBack, g.UserID, map[string]string{"grant": g.ID})
	})
	if err != nil {
		return err
	}
	return errInvalidToken
}

// theft ends what the stolen token could reach, and tells the person (R14).
func (a *Auth) theft(ctx context.Context, c *Call, g store.Grant) error {
	err := a.do(ctx, c, func(t *Tx) error {
		if _, err := t.tx.Grants().Get(ctx, g.ID); err != nil {
			return ignoreNotFound(err) // another request found the same theft
		}
		if err := t.endSession(ctx, store.Session{ID: g.SessionID, UserID: g.UserID}, "theft"); err != nil {
			return err
		}
		e := a.event(c, eventTokenReused, g.UserID, map[string]string{"grant": g.ID})
		e.SessionID = g.SessionID
		if err := t.record(ctx, e); err != nil {
			return err
		}
		u, err := t.tx.Users().Get(ctx, g.UserID)
		if err != nil || u.Email == "" {
			return ignoreNotFound(err)
		}
		return t.Mail(ctx, publicUser(u, false), "token_theft", map[string]string{"Link": a.issuer + "/account"})
	})
	if err != nil {
		return err
	}
	c.clearCookie(sessionCookie, accessCookie, refreshCookie)
	return errTokenReused
}

func ignoreNotFound(err error) error {
	if isNotFound(err) {
		return nil
	}
	return err
}
