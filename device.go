package ostiary

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"time"

	"github.com/ostiary/ostiary/store"
)

// The device cookie (R39) says that somebody completed a sign-in to one account from this browser. It opens nothing: it
// only gives the browser a count of wrong guesses of its own, so that nobody can lock the owner out.
const (
	deviceCookie  = "device"
	deviceLife    = 180 * 24 * time.Hour
	devicePurpose = "ostiary device v1"
	deviceVersion = 1
	deviceHead    = 1 + 16 + 8 + 8 // version, nonce, end in seconds, epoch
	deviceSize    = deviceHead + 32
)

// deviceTiers are the failures of one known device: five at once and one every 3 minutes, and never more than ten between
// two sign-ins, after which it is a stranger.
var deviceTiers = [...]store.Rate{{Burst: 5, Every: 3 * time.Minute}, {Burst: 10, Every: 2 * deviceLife}}

// deviceSigned is what the MAC is over: the head, and the account, which the cookie does not show.
func deviceSigned(head []byte, account string) []byte {
	return append(head[:deviceHead:deviceHead], account...)
}

// rememberDevice gives the browser a new device cookie: only at the end of a complete sign-in. Who takes tokens in the body
// keeps no cookies.
func (c *Call) rememberDevice(p *person) {
	if p.record.EmailNormal == "" || c.wants.Delivery == store.DeliverBody {
		return
	}
	c.setDevice(p.record)
}

func (c *Call) setDevice(u store.User) {
	expires := c.auth.now().Add(deviceLife)
	nonce := random16()
	head := make([]byte, 0, deviceSize)
	head = append(head, deviceVersion)
	head = append(head, nonce[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(expires.Unix()))
	head = binary.BigEndian.AppendUint64(head, uint64(u.Epoch))
	mac := c.auth.cfg.Key.master.MAC(devicePurpose, deviceSigned(head, u.EmailNormal))
	c.setCookie(deviceCookie, b64.EncodeToString(append(head, mac[:]...)), expires)
}

// renewDevice gives the browser a new device cookie in the place of one that was good until the person's epoch moved, by his
// own doing: his browser is no stranger for it. A cookie that may come from another site is not looked at (R4).
func (c *Call) renewDevice(u store.User) {
	if u.EmailNormal == "" || c.request == nil || explicit(c.request) && c.auth.checkOrigin(c.request) != nil {
		return
	}
	head, ok := c.auth.openDevice(c.auth.cookie(c.request, deviceCookie), u.EmailNormal)
	if ok && deviceLasts(head, c.auth.now()) && deviceEpoch(head) == u.Epoch-1 {
		c.setDevice(u)
	}
}

func deviceLasts(head []byte, now time.Time) bool {
	return now.Before(time.Unix(int64(binary.BigEndian.Uint64(head[17:])), 0))
}

func deviceEpoch(head []byte) int64 { return int64(binary.BigEndian.Uint64(head[25:])) }

// knownDevice returns what names the device if the browser holds a cookie of ours for that account, "" otherwise. Only
// whoever holds a genuine cookie, and so knows that there is such an account, costs a read: nothing can be told from the
// time it takes.
func (a *Auth) knownDevice(ctx context.Context, c *Call, account string) (nonce string, err error) {
	if account == "" || c.request == nil {
		return "", nil
	}
	head, ok := a.openDevice(a.cookie(c.request, deviceCookie), account)
	if !ok || !deviceLasts(head, a.now()) {
		return "", nil
	}
	u, err := a.store.Users().ByEmail(ctx, account)
	if isNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fault("find user", err)
	}
	if u.Epoch != deviceEpoch(head) {
		return "", nil // signed out everywhere since, as after a new password
	}
	return string(head[1:17]), nil
}

// deviceOf is knownDevice for somebody who is known already, by the proof or the session that came before.
func (a *Auth) deviceOf(ctx context.Context, c *Call, userID string) (nonce string, err error) {
	if c.request == nil || explicit(c.request) && a.checkOrigin(c.request) != nil {
		return "", nil
	}
	u, err := a.store.Users().Get(ctx, userID)
	if err != nil {
		return "", fault("read user", err)
	}
	return a.knownDevice(ctx, c, u.EmailNormal)
}

// openDevice checks that we made a cookie, under any of our keys, for that account.
func (a *Auth) openDevice(value, account string) (head []byte, ok bool) {
	if len(value) != b64.EncodedLen(deviceSize) {
		return nil, false
	}
	raw, err := b64.Strict().DecodeString(value)
	if err != nil || raw[0] != deviceVersion {
		return nil, false
	}
	for _, mac := range a.cfg.Key.master.MACs(devicePurpose, deviceSigned(raw, account)) {
		ok = hmac.Equal(mac[:], raw[deviceHead:]) || ok
	}
	return raw[:deviceHead], ok
}
