package ostiary

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ostiary/ostiary/store"
)

// How often a secret may be guessed wrongly. A unit of every tier is taken before the secret is looked at.
//
// An account allows five failures at once, then one every 3 minutes until there were 15 in short order, then one every 12
// minutes until there were 30, then one every 48 minutes: 60 on the first day at the most, and 30 on any day that follows.
// Who has to wait is told so (429), never kept waiting. An account that does not exist is counted alike.
var (
	rateSourceFailures = store.Rate{Burst: 20, Every: 45 * time.Second} // of a source, over all accounts
	accountTiers       = [...]store.Rate{
		{Burst: 5, Every: 3 * time.Minute},
		{Burst: 15, Every: 12 * time.Minute},
		{Burst: 30, Every: 48 * time.Minute},
	}
	// rateSpray stands in for the first tier while a spray is on: the same window of 15 minutes, two failures.
	rateSpray = store.Rate{Burst: 2, Every: 7*time.Minute + 30*time.Second}
)

// The kinds of counters of an account.
const (
	countFailures = "failure"  // wrong passwords
	countCodes    = "codes"    // wrong codes of second factors
	countDevice   = "device"   // failures of one known device
	countTold     = "attempts" // mails about them

	countDeviceCodes = "device.codes" // wrong codes from one known device
)

// The classes of a source's failures. Whoever wears out the one with passwords leaves links, and sign-ins that wait for their
// second factor, to his neighbours.
const (
	classNamed   = "failure"         // of an account that is named
	classUnnamed = "failure.unnamed" // of a ticket
)

// counterKey names a counter; the store learns nothing of whom it counts (R33).
func (a *Auth) counterKey(kind, of string) string {
	mac := a.cfg.Key.master.MAC("ostiary throttle v1", []byte(of))
	return kind + ":" + b64.EncodeToString(mac[:16])
}

// guess counts a try to guess a secret, before it is looked at, and gives it back when it was none: so parallel guesses
// cannot slip in between a check and a count. It is one write, and none when it is refused (R37).
type guess struct {
	auth    *Auth
	call    *Call
	account string // as the input names it; "": none
	class   string // of the source's bucket that a unit was taken of; "": none
	key     string // of the counter that a unit was taken of; "": none
	rates   []store.Rate
}

func (a *Auth) guess(ctx context.Context, c *Call, in any) (*guess, error) {
	if a.cfg.InsecureNoRateLimits {
		return nil, nil
	}
	g := &guess{auth: a, call: c, account: guessed(c, in)}
	known, err := g.takeDevice(ctx)
	if err != nil || known {
		return g, err
	}
	class := classNamed
	if g.account == "" {
		class = classUnnamed
	}
	if got := a.sources.Take(class, c.Source, rateSourceFailures, a.now()); !got.OK {
		return nil, errRateLimited.After(got.RetryAfter)
	}
	g.class = class
	if g.account == "" {
		return g, nil
	}
	if err := g.takeAccount(ctx); err != nil {
		a.sources.Refund(class, c.Source, rateSourceFailures, a.now())
		return nil, err
	}
	return g, nil
}

// guessed names the account whose secret is tried: the caller's own, or the one that the input names.
func guessed(c *Call, in any) string {
	if c.Principal != nil && c.Principal.User != nil {
		return ownAccount(c.Principal.User.ID)
	}
	if named, ok := in.(AccountKey); ok {
		return named.AccountKey()
	}
	return ""
}

// ownAccount stands for a person who is signed in. It is no address.
func ownAccount(userID string) string { return "user:" + userID }

// takeDevice counts for the device, if it is one that we know: then neither what others did to the account nor what they
// did from this network is held against it. A device with too many failures is a stranger again.
func (g *guess) takeDevice(ctx context.Context) (known bool, err error) {
	nonce, err := g.auth.knownDevice(ctx, g.call, g.account)
	if err != nil || nonce == "" {
		return false, err
	}
	g.key, g.rates = g.auth.counterKey(countDevice, nonce), deviceTiers[:]
	got, err := g.auth.volatile.Counters().Take(ctx, g.key, g.auth.now(), g.rates...)
	switch {
	case err != nil:
		return false, fault("count attempt", err)
	case got.OK:
		g.call.KnownDevice = true
		return true, nil
	case got.RetryAfter > deviceLife: // the tier that never refills
		return false, nil
	}
	return false, errRateLimited.After(got.RetryAfter)
}

func (g *guess) takeAccount(ctx context.Context) error {
	a := g.auth
	tiers := accountTiers
	if g.call.Principal == nil && a.spray.on(a.now()) {
		tiers[0] = rateSpray
	}
	g.key, g.rates = a.counterKey(countFailures, g.account), tiers[:]
	got, err := a.volatile.Counters().Take(ctx, g.key, a.now(), g.rates...)
	if err != nil {
		return fault("count attempt", err)
	}
	if got.OK {
		return nil
	}
	if g.call.Principal == nil {
		a.alarm(alarm{account: g.account, call: g.call.bare()})
	}
	return errRateLimited.After(got.RetryAfter)
}

// settle gives the try back unless a secret was wrong. Somebody whom we do not know gets the unit of the account back only
// for a right secret: whatever else went wrong must not cost a second write (R37).
func (g *guess) settle(ctx context.Context, err error) {
	if g == nil {
		return
	}
	wrong, right := err != nil && wrongSecret(err), rightSecret(err)
	g.watch(wrong, right)
	if wrong {
		return
	}
	now := g.auth.now()
	if g.class != "" {
		g.auth.sources.Refund(g.class, g.call.Source, rateSourceFailures, now)
	}
	stranger := g.call.Principal == nil && !g.call.KnownDevice
	if g.key == "" || stranger && !right {
		return
	}
	if err := g.giveBack(context.WithoutCancel(ctx), right, now); err != nil {
		g.auth.log.WarnContext(ctx, "an attempt could not be given back", "error", err)
	}
}

// giveBack returns one unit, or all to a known device that had the right secret.
func (g *guess) giveBack(ctx context.Context, right bool, now time.Time) error {
	if right && g.call.KnownDevice {
		return g.auth.volatile.Counters().Reset(ctx, g.key)
	}
	return g.auth.volatile.Counters().Refund(ctx, g.key, now, g.rates...)
}

// watch tells the detector of sprays what strangers fail at, and who gets in.
func (g *guess) watch(wrong, right bool) {
	if g.account == "" || g.call.Principal != nil {
		return
	}
	now := g.auth.now()
	switch {
	case right:
		g.auth.spray.succeeded(g.account, now)
	case wrong && !g.call.KnownDevice:
		if accounts := g.auth.spray.failed(g.account, now); accounts > 0 {
			g.auth.log.Warn("passwords are being sprayed over many accounts; devices that are not known get two tries an account in 15 minutes", "accounts", accounts)
			g.auth.alarm(alarm{spray: accounts})
		}
	}
}

// wrongSecret says whether an error means that somebody guessed.
func wrongSecret(err error) bool {
	switch problem(err).Code {
	case errCredentials.Code, errMFAFailed.Code, errInvalidTicket.Code:
		return true
	}
	return false
}

// rightSecret says whether the secret was the right one, also when its owner may not come in.
func rightSecret(err error) bool {
	return err == nil || problem(err).Status == http.StatusForbidden
}

// Unlock forgets the failures that were counted for a person, so that he need not wait on a device that we do not know. The
// caller has the right to act on that account. store.ErrNotFound.
func (e *Engine) Unlock(ctx context.Context, c *Call, userID string) error {
	a := e.a
	var email string
	err := e.Administer(ctx, c, func(t *AdminTx) error {
		_, u, err := t.reach(ctx, userID)
		if err != nil {
			return err
		}
		email = u.EmailNormal
		return t.Emit(ctx, eventUnlocked, userID, nil)
	})
	if err != nil {
		return err
	}
	keys := []string{a.counterKey(countFailures, ownAccount(userID)), a.counterKey(countCodes, countCodes+"\x00"+userID)}
	if email != "" {
		keys = append(keys, a.counterKey(countFailures, email))
	}
	for _, key := range keys {
		err = errors.Join(err, a.volatile.Counters().Reset(ctx, key))
	}
	return fault("forget failures", err)
}
