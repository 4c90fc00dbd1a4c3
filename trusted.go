package ostiary

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	trustedKind   = "trusted_device"
	trustedCookie = "trusted_device"
	trustedMost   = 10 // devices of one person; the oldest makes room
)

// amrTrusted marks a session whose second step was skipped because the browser is trusted. It is no factor: [MFA] and
// [Fresh] still ask for one.
const amrTrusted = "trusted_device"

// trustedDevice is a browser in which somebody has shown a second factor. The cookie's secret is kept as a hash, as the
// lookup value of the credential. It is worth nothing once the person's epoch (a new password, signing out everywhere) or
// the set of his factors is another one.
type trustedDevice struct {
	Name      string    `json:"n"`
	Epoch     int64     `json:"e"`
	Factors   string    `json:"f"`
	ExpiresAt time.Time `json:"x"`
}

// factorSet names a set of enrolled factors.
func factorSet(p *person) string {
	sum := sha256.Sum256([]byte(strings.Join(p.factorIDs, " ")))
	return b64.EncodeToString(sum[:16])
}

func (a *Auth) deviceValid(p *person, d trustedDevice, made time.Time) bool {
	now := a.now()
	return d.Epoch == p.record.Epoch && d.Factors == factorSet(p) && now.Before(d.ExpiresAt) && now.Before(made.Add(a.cfg.TrustDevices))
}

func deviceLookup(cookie string) (string, bool) {
	hash, ok := cookieHash(cookie)
	return b64.EncodeToString(hash[:]), ok
}

// trusts says whether this person has shown a second factor in this very browser and asked not to be asked again.
func (a *Auth) trusts(ctx context.Context, c *Call, p *person) (bool, error) {
	if a.cfg.TrustDevices == 0 || c.request == nil {
		return false, nil
	}
	lookup, ok := deviceLookup(a.cookie(c.request, trustedCookie))
	if !ok {
		return false, nil
	}
	cred, err := a.engineVault(trustedKind, nil).ByLookup(ctx, lookup)
	if isNotFound(err) || err == nil && cred.UserID != p.record.ID {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var d trustedDevice
	if err := json.Unmarshal(cred.Data, &d); err != nil {
		return false, fmt.Errorf("read trusted device: %w", err)
	}
	return a.deviceValid(p, d, cred.CreatedAt), nil
}

// trust remembers the browser of somebody who has just shown a second factor.
func (a *Auth) trust(ctx context.Context, c *Call, userID string) error {
	if a.cfg.TrustDevices == 0 || c.request == nil {
		return nil
	}
	p, err := a.readPerson(ctx, userID)
	if err != nil {
		return err
	}
	_, secret := newSecret()
	lookup, _ := deviceLookup(secret)
	expires := a.now().Add(a.cfg.TrustDevices)
	data, err := json.Marshal(trustedDevice{c.UserAgent, p.record.Epoch, factorSet(p), expires})
	if err != nil {
		return fmt.Errorf("write trusted device: %w", err)
	}
	err = a.do(ctx, c, func(t *Tx) error {
		if err := t.stillAlive(ctx, p); err != nil {
			return err
		}
		if err := t.makeRoom(ctx, c, p); err != nil {
			return err
		}
		if _, err := a.engineVault(trustedKind, t).Create(ctx, Credential{UserID: userID, Lookup: lookup, Data: data}); err != nil {
			return err
		}
		return t.Emit(ctx, eventDeviceTrusted, userID, map[string]string{"device": c.UserAgent})
	})
	if err == nil {
		c.setCookie(trustedCookie, secret, expires)
	}
	return err
}

// makeRoom removes what is no longer trusted, what this browser was trusted by before, and the oldest beyond the limit.
func (t *Tx) makeRoom(ctx context.Context, c *Call, p *person) error {
	vault := t.a.engineVault(trustedKind, t)
	rows, err := vault.Of(ctx, p.record.ID)
	if err != nil {
		return err
	}
	same, _ := deviceLookup(t.a.cookie(c.request, trustedCookie))
	var live []Credential
	for _, row := range rows {
		var d trustedDevice
		if json.Unmarshal(row.Data, &d) == nil && t.a.deviceValid(p, d, row.CreatedAt) && row.Lookup != same {
			live = append(live, row)
			continue
		}
		if err := vault.Delete(ctx, row); err != nil {
			return err
		}
	}
	for ; len(live) >= trustedMost; live = live[1:] {
		if err := vault.Delete(ctx, live[0]); err != nil {
			return err
		}
	}
	return nil
}

// TrustedDevice is a browser that is not asked for a second factor.
type TrustedDevice struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current"` // the one that asks
	UserAgent string    `json:"user_agent"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// TrustedDevices is the list of them, newest first. There are at most ten: no pages.
type TrustedDevices struct {
	Items []TrustedDevice `json:"items"`
}

func (a *Auth) serveTrusted(ctx context.Context, c *Call, _ *None) (TrustedDevices, error) {
	list := TrustedDevices{Items: []TrustedDevice{}}
	p, err := a.callersPerson(ctx, c)
	if err != nil {
		return list, err
	}
	rows, err := a.engineVault(trustedKind, nil).Of(ctx, p.record.ID)
	if err != nil {
		return list, err
	}
	own, _ := deviceLookup(a.cookie(c.request, trustedCookie))
	for _, row := range rows {
		var d trustedDevice
		if json.Unmarshal(row.Data, &d) != nil || !a.deviceValid(p, d, row.CreatedAt) {
			continue
		}
		list.Items = append(list.Items, TrustedDevice{row.ID, row.Lookup == own, d.Name, row.CreatedAt, d.ExpiresAt})
	}
	slices.SortFunc(list.Items, func(x, y TrustedDevice) int { return cmp.Compare(y.ID, x.ID) })
	return list, nil
}

type deviceInput struct {
	ID string `path:"id"`
}

// serveDistrust takes trust from one of the person's own devices. Somebody else's cannot be told from one that never was.
func (a *Auth) serveDistrust(ctx context.Context, c *Call, in *deviceInput) (None, error) {
	p, err := a.callersPerson(ctx, c)
	if err != nil {
		return None{}, err
	}
	return None{}, a.do(ctx, c, func(t *Tx) error {
		vault := a.engineVault(trustedKind, t)
		rows, err := vault.Of(ctx, p.record.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(row Credential) bool { return row.ID == in.ID })
		if i < 0 {
			return errNotFound
		}
		if err := vault.Delete(ctx, rows[i]); err != nil {
			return err
		}
		if own, _ := deviceLookup(a.cookie(c.request, trustedCookie)); own == rows[i].Lookup {
			t.after = append(t.after, func(context.Context) error { c.clearCookie(trustedCookie); return nil })
		}
		return t.Emit(ctx, eventDeviceDistrusted, p.record.ID, nil)
	})
}

// callersPerson reads who is signed in, past the cache.
func (a *Auth) callersPerson(ctx context.Context, c *Call) (*person, error) {
	if c.Principal == nil || c.Principal.User == nil {
		return nil, errForbidden
	}
	p, err := a.readPerson(ctx, c.Principal.User.ID)
	if isNotFound(err) {
		return nil, errNotSignedIn.Because(err)
	}
	return p, err
}

// trustedRoutes are there wherever devices can be trusted, or could be once.
func (a *Auth) trustedRoutes() []Route {
	return []Route{
		{
			Name: "mfa.trusted-devices.list", Pattern: "GET /api/v1/mfa/trusted-devices", Serve: JSON(a.serveTrusted),
			Doc: "Lists the browsers that are not asked for a second factor.",
		},
		{
			Name: "mfa.trusted-devices.delete", Pattern: "DELETE /api/v1/mfa/trusted-devices/{id}", Serve: JSON(a.serveDistrust),
			Doc: "Asks in that browser for the second factor again.",
		},
	}
}
