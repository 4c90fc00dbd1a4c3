package ostiary

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

// accessTokenType is the typ header of RFC 9068 access tokens.
const accessTokenType = "at+jwt"

// firstPartyScope stands in the tokens of our own client, whose right does not come from a scope.
const firstPartyScope = "account"

// maxClaims bounds what roles and permissions may add to a token.
const maxClaims = 2 << 10

// tokenSet is a pair that was issued on a grant.
type tokenSet struct {
	access    string
	refresh   string
	expires   time.Time // of the access token
	refreshed time.Time // when the refresh token expires
	delivery  store.Delivery
	lifetime  time.Duration
}

// issue is the only caller of the token signer (R1). It asks again whether the person may have a token at all.
func (a *Auth) issue(p *person, s store.Session, g store.Grant) (string, time.Time, error) {
	if refused := a.alive(p); refused != nil {
		return "", time.Time{}, refused
	}
	if p.record.Epoch != g.Epoch || s.Epoch != g.Epoch {
		return "", time.Time{}, errTokenRevoked
	}
	now := a.now().Truncate(time.Second)
	expires := now.Add(a.cfg.Tokens.Access)
	jti := random16()
	claims := token.Claims{
		Issuer: a.issuer, Subject: p.record.ID, Audience: []string{a.issuer}, Expires: expires, IssuedAt: now, AuthTime: s.AuthAt,
		ID: b64.EncodeToString(jti[:]), ClientID: g.ClientID, Scope: firstPartyScope,
		SID: a.clientSessionID(s.ID, g.ClientID), GID: grantHandle(g), ACR: acrOf(s.AMR), AMR: s.AMR, Epoch: g.Epoch,
	}
	if err := a.addAsked(&claims, p, g.Scope); err != nil {
		return "", time.Time{}, err
	}
	raw, err := a.ring.Sign(accessTokenType, claims, a.cfg.Tokens.Alg, a.now())
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign access token: %w", err)
	}
	return raw, expires, nil
}

// addAsked adds the audiences and claims that the sign-in asked for.
func (a *Auth) addAsked(claims *token.Claims, p *person, scope string) error {
	if scope == "" {
		return nil
	}
	var want asked
	if err := json.Unmarshal([]byte(scope), &want); err != nil {
		return fmt.Errorf("read what the grant asks for: %w", err)
	}
	for _, aud := range want.Audience {
		if !slices.Contains(claims.Audience, aud) {
			claims.Audience = append(claims.Audience, aud)
		}
	}
	size := 0
	for _, name := range want.Claims {
		list := p.record.Roles
		if name == "permissions" {
			list = a.policy.Load().Permissions(p.record.Roles)
			claims.Permissions = list
		} else {
			claims.Roles = list
		}
		for _, v := range list {
			size += len(v) + 3
		}
	}
	if size > maxClaims {
		claims.Roles, claims.Permissions = nil, nil
		a.log.Warn("roles and permissions do not fit into a token and were left out", "user", p.record.ID, "bytes", size)
	}
	return nil
}

// clientSessionID is the sid of a session as one client sees it: two clients cannot compare notes (R10).
func (a *Auth) clientSessionID(sessionID, clientID string) string {
	mac := a.cfg.Key.master.MAC("ostiary sid v1", []byte(clientID+"\x00"+sessionID))
	return b64.EncodeToString(mac[:16])
}

// grantHandle is the gid claim: the grant's name for us, and 128 random bits that make it unguessable for others.
func grantHandle(g store.Grant) string {
	id, _ := parseUUID(g.ID)
	return b64.EncodeToString(append(id[:], g.Handle[:]...))
}

func grantOf(gid string) (id string, ok bool) {
	raw, err := b64.DecodeString(gid)
	if err != nil || len(raw) != 32 {
		return "", false
	}
	return uuid([16]byte(raw[:16])), true
}

// tokenPair issues the pair of the grant's present generation.
func (a *Auth) tokenPair(p *person, s store.Session, g store.Grant) (*tokenSet, error) {
	access, expires, err := a.issue(p, s, g)
	if err != nil {
		return nil, err
	}
	return &tokenSet{
		access: access, refresh: a.mintRefresh(g.ID, g.Generation), expires: expires, refreshed: g.ExpiresAt,
		delivery: g.Delivery, lifetime: a.cfg.Tokens.Access,
	}, nil
}

// hand puts tokens where the grant's delivery says, and nowhere else (R15).
func (c *Call) hand(set *tokenSet, out *SignedInAnswer) {
	out.TokenType, out.ExpiresIn = "Bearer", int(set.lifetime/time.Second)
	switch set.delivery {
	case store.DeliverBody:
		out.AccessToken, out.RefreshToken = set.access, set.refresh
	case store.DeliverSplit:
		out.AccessToken = set.access
		c.setCookie(refreshCookie, set.refresh, set.refreshed)
	case store.DeliverCookies:
		c.setCookie(accessCookie, set.access, set.expires)
		c.setCookie(refreshCookie, set.refresh, set.refreshed)
	}
}
