package ostiary

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ostiary/ostiary/secure"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

const (
	acrOne = "aal1"
	acrTwo = "aal2"
)

// maxCredential bounds what is looked at, before anything is decoded.
const maxCredential = 8 << 10

// explicit says whether the caller named a credential himself. Such a request needs no origin check and never falls back
// to a cookie (R3).
func explicit(r *http.Request) bool {
	return len(r.Header["Authorization"]) > 0 || len(r.Header["X-Api-Key"]) > 0
}

// checkOrigin refuses what another site sent with our cookies (R4). It runs before a cookie is read.
func (a *Auth) checkOrigin(r *http.Request) error {
	if err := secure.SameOrigin(r, a.trustedOrigins(r)); err != nil {
		return errCrossOrigin.Because(err)
	}
	return nil
}

// trustedOrigins are those of CORS, on the JSON API with a JSON body and nowhere else (R4).
func (a *Auth) trustedOrigins(r *http.Request) []string {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if len(a.cfg.Origins) == 0 || !strings.HasPrefix(r.URL.Path, a.prefix+"/api/v1/") || strings.TrimSpace(kind) != "application/json" {
		return nil
	}
	return a.cfg.Origins
}

// authenticate finds out who makes a request. Nobody is (nil, nil). scopes says whether tokens of other clients may come
// in because the route declares a scope (R2).
func (a *Auth) authenticate(ctx context.Context, r *http.Request, scoped bool) (*Principal, error) {
	p, err := a.whoever(ctx, r)
	if err != nil || p == nil {
		return nil, err
	}
	if p.via == viaToken && !p.FirstParty() && !scoped {
		return nil, errScope
	}
	return p, nil
}

func (a *Auth) whoever(ctx context.Context, r *http.Request) (*Principal, error) {
	if explicit(r) {
		return a.explicitCredential(ctx, r)
	}
	if v := a.cookie(r, sessionCookie); v != "" {
		p, err := a.sessionPrincipal(ctx, v)
		if err != nil || p != nil {
			return p, err
		}
	}
	if v := a.cookie(r, accessCookie); v != "" {
		return a.tokenPrincipal(ctx, v)
	}
	return nil, nil
}

func (a *Auth) explicitCredential(ctx context.Context, r *http.Request) (*Principal, error) {
	authorization, key := r.Header["Authorization"], r.Header["X-Api-Key"]
	if len(authorization)+len(key) > 1 {
		return nil, errTwoCredentials
	}
	for _, other := range a.authenticators {
		p, err := other.Authenticate(ctx, r)
		if errors.Is(err, ErrNoCredentials) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.via != viaOther { // it may be shared by requests: nobody writes to it
			own := *p
			own.via = viaOther
			p = &own
		}
		return p, nil
	}
	if len(key) > 0 {
		return nil, errInvalidToken
	}
	scheme, value, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || len(value) > maxCredential {
		return nil, errInvalidToken
	}
	return a.tokenPrincipal(ctx, value)
}

// liveSession is a session that was read from the store, together with the person as he was then. When the person's
// snapshot was dropped since, the session is read again.
type liveSession struct {
	store.Session
	seen, idle atomic.Int64 // LastSeenAt and IdleAt in microseconds, as they move on
	person     *person
	principal  Principal
}

// sessionPrincipal answers from memory when the log allows it. A cookie that means nothing is (nil, nil).
func (a *Auth) sessionPrincipal(ctx context.Context, value string) (*Principal, error) {
	hash, ok := cookieHash(value)
	if !ok {
		return nil, nil
	}
	s, err := a.session(ctx, hash)
	if err != nil || s == nil {
		return nil, err
	}
	now := a.now()
	if now.UnixMicro() >= s.idle.Load() || !now.Before(s.ExpiresAt) || a.alive(s.person) != nil {
		return nil, nil
	}
	a.touch(ctx, s, now)
	return &s.principal, nil
}

func cookieHash(value string) ([32]byte, bool) {
	var raw [32]byte
	if len(value) != b64.EncodedLen(len(raw)) {
		return raw, false
	}
	if _, err := b64.Decode(raw[:], []byte(value)); err != nil {
		return raw, false
	}
	return sha256.Sum256(raw[:]), true
}

// session finds a live session by the hash of its cookie; nil when there is none.
func (a *Auth) session(ctx context.Context, hash [32]byte) (*liveSession, error) {
	if err := a.follower.Current(ctx); err != nil {
		return nil, fault("confirm the revocation log", err)
	}
	if s, ok := a.sessions.Get(hash); ok && a.unchanged(s) {
		return s, nil
	}
	version, changes := a.sessions.Version(), a.persons.Version()
	rec, err := a.volatile.Sessions().ByHash(ctx, hash)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fault("read session", err)
	}
	s, err := a.live(ctx, rec)
	if err != nil || s == nil {
		return nil, err
	}
	// The record must not be older than the person that it is kept with: then no later change would be noticed.
	if a.persons.Version() == changes {
		a.sessions.Put(hash, s, version)
	}
	return s, nil
}

// unchanged says whether nothing happened to the person since the session was read: every end or change of a session is
// told as a change of its person.
func (a *Auth) unchanged(s *liveSession) bool {
	p, ok := a.persons.Get(s.person.key)
	return ok && p == s.person
}

// live compares a session record with the truth: the person's epoch and the revocation log. The volatile store may have
// brought it back (R22).
func (a *Auth) live(ctx context.Context, rec store.Session) (*liveSession, error) {
	p, err := a.person(ctx, a.personKey(rec.UserID), rec.UserID)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if rec.Epoch != p.record.Epoch {
		return nil, nil
	}
	ended, err := a.ended(ctx, rec.ID, p)
	if err != nil || ended {
		return nil, err
	}
	s := &liveSession{Session: rec, person: p}
	s.seen.Store(rec.LastSeenAt.UnixMicro())
	s.idle.Store(rec.IdleAt.UnixMicro())
	s.principal = Principal{
		User: &p.user, SessionID: rec.ID, ClientID: store.FirstParty, AMR: rec.AMR, AuthAt: rec.AuthAt, ACR: acrOf(rec.AMR),
		via: viaSession, session: s, person: p,
	}
	return s, nil
}

// ended asks the revocation log. That a session is not in it is remembered with the snapshot of its person, which was read
// before: the end of a session is a change of its person, and drops that.
func (a *Auth) ended(ctx context.Context, id string, p *person) (bool, error) {
	if known, ok := a.going.Get(id); ok && known == p {
		return false, nil
	}
	version := a.going.Version()
	ended, err := a.store.Log().Has(ctx, store.KindSession, logHash(a.follower.Incarnation(), store.KindSession, id))
	if err != nil {
		return false, fault("read revocation log", err)
	}
	if !ended {
		a.going.Put(id, p, version)
	}
	return ended, nil
}

func acrOf(amr []string) string {
	if slices.Contains(amr, "mfa") {
		return acrTwo
	}
	return acrOne
}

// touch notes that a session is in use, at most every 1/24 of the idle time (R16): nothing is written when nothing changed.
func (a *Auth) touch(ctx context.Context, s *liveSession, now time.Time) {
	seen := s.seen.Load()
	if now.UnixMicro()-seen < (a.cfg.Sessions.Idle/24).Microseconds() || !s.seen.CompareAndSwap(seen, now.UnixMicro()) {
		return
	}
	idle := earlier(now.Add(a.cfg.Sessions.Idle), s.ExpiresAt)
	s.idle.Store(idle.UnixMicro())
	if err := a.volatile.Sessions().Touch(ctx, s.ID, now, idle); err != nil {
		a.log.WarnContext(ctx, "a session's use could not be noted", "error", err)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// liveToken is an access token whose signature was verified, with what the revocation log may say of it.
type liveToken struct {
	claims    *token.Claims
	hashes    [4][16]byte // token, grant, client, key
	personKey [16]byte
	checked   uint64 // version of the revoked set at which nothing concerned it
	person    *person
	principal Principal
}

// tokenPrincipal verifies an access token, or remembers that it did.
func (a *Auth) tokenPrincipal(ctx context.Context, raw string) (*Principal, error) {
	if err := a.follower.Current(ctx); err != nil {
		return nil, fault("confirm the revocation log", err)
	}
	t, err := a.liveToken(ctx, raw)
	if err != nil {
		return nil, err
	}
	if !a.now().Before(t.claims.Expires) {
		return nil, errTokenExpired
	}
	return &t.principal, nil
}

func (a *Auth) liveToken(ctx context.Context, raw string) (*liveToken, error) {
	revoked := a.follower.Revoked()
	if t, ok := a.tokens.Get(raw); ok && t.checked == revoked.Version() {
		if p, ok := a.persons.Get(t.personKey); ok && p == t.person {
			return t, nil
		}
	}
	version, set := a.tokens.Version(), revoked.Version()
	t, err := a.verifyToken(raw)
	if err != nil {
		return nil, err
	}
	if revoked.HasAny(t.hashes[:]...) {
		return nil, errTokenRevoked
	}
	t.checked = set
	if err := a.bindPerson(ctx, t); err != nil {
		return nil, err
	}
	// The string that came belongs to a request; the cache keeps its own.
	a.tokens.Put(strings.Clone(raw), t, version)
	return t, nil
}

func (a *Auth) verifyToken(raw string) (*liveToken, error) {
	if old, ok := a.tokens.Get(raw); ok {
		fresh := *old
		return &fresh, nil
	}
	claims, err := a.ring.Verify(raw, token.Expect{
		Issuer: a.issuer, Audience: a.issuer, Type: accessTokenType, Algs: a.algs,
	}, a.now())
	switch {
	case errors.Is(err, token.ErrExpired):
		return nil, errTokenExpired
	case errors.Is(err, token.ErrKey) && a.keyRevoked(raw):
		return nil, errTokenRevoked
	case err != nil:
		return nil, errInvalidToken.Because(err)
	}
	in := a.follower.Incarnation()
	return &liveToken{claims: claims, personKey: a.personKey(claims.Subject), hashes: [4][16]byte{
		logHash(in, store.KindToken, claims.ID), logHash(in, store.KindGrant, claims.GID),
		logHash(in, store.KindClient, claims.ClientID), keyHash(claims.KeyID),
	}}, nil
}

// bindPerson compares the token with the person as he is now.
func (a *Auth) bindPerson(ctx context.Context, t *liveToken) error {
	p, err := a.person(ctx, t.personKey, t.claims.Subject)
	if isNotFound(err) {
		return errTokenRevoked
	}
	if err != nil {
		return err
	}
	if a.alive(p) != nil {
		return errTokenRevoked
	}
	g, err := a.grantOfToken(ctx, t)
	if err != nil {
		return err
	}
	if g.Epoch != p.record.Epoch {
		return errTokenRevoked
	}
	t.person = p
	t.principal = Principal{
		User: &p.user, ClientID: t.claims.ClientID, Scopes: strings.Fields(t.claims.Scope), AMR: t.claims.AMR,
		AuthAt: t.claims.AuthTime, ACR: t.claims.ACR, via: viaToken, person: p, grant: g.ID, SessionID: g.SessionID,
	}
	return nil
}

// grantOfToken reads the grant that a token hangs on (R10). It may have been carried over into a later epoch than the
// token knows of: the caller's own, when he changed his password.
func (a *Auth) grantOfToken(ctx context.Context, t *liveToken) (store.Grant, error) {
	id, ok := grantOf(t.claims.GID)
	if !ok {
		return store.Grant{}, errInvalidToken
	}
	g, err := a.store.Grants().Get(ctx, id)
	if isNotFound(err) || err == nil && (g.UserID != t.claims.Subject || g.ClientID != t.claims.ClientID) {
		return g, errTokenRevoked
	}
	return g, fault("read grant", err)
}

// keyRevoked says whether the key that a token names was revoked, as told apart from one that never existed.
func (a *Auth) keyRevoked(raw string) bool {
	var header struct {
		KeyID string `json:"kid"`
	}
	text, _, _ := strings.Cut(raw, ".")
	b, err := b64.DecodeString(text)
	return err == nil && json.Unmarshal(b, &header) == nil && a.follower.Revoked().HasAny(keyHash(header.KeyID))
}
