package ostiary

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/ostiary/ostiary/store"
)

// The default limits of one source: generous for reads, narrower for what changes something.
var (
	rateRead  = store.Rate{Burst: 300, Every: 100 * time.Millisecond}
	rateWrite = store.Rate{Burst: 60, Every: time.Second}
	// Failures where a secret can be guessed: 20 in 15 minutes for a source, 5 for an account.
	rateSourceFailures  = store.Rate{Burst: 20, Every: 45 * time.Second}
	rateAccountFailures = store.Rate{Burst: 5, Every: 3 * time.Minute}
)

func (r *Route) rate() store.Rate {
	switch {
	case r.Rate.Burst > 0:
		return r.Rate
	case r.method() == http.MethodGet:
		return rateRead
	default:
		return rateWrite
	}
}

// limitSource is the first thing that happens to a request: fixed memory, no store (R37).
func (a *Auth) limitSource(w http.ResponseWriter, route *Route, source netip.Addr) error {
	if a.cfg.InsecureNoRateLimits {
		return nil
	}
	rate := route.rate()
	got := a.sources.Take(route.Name, source, rate, a.now())
	writeRate(w.Header(), rate, got)
	if !got.OK {
		return errRateLimited.After(got.RetryAfter)
	}
	return nil
}

// writeRate tells the caller where he stands (draft-ietf-httpapi-ratelimit-headers).
func writeRate(h http.Header, rate store.Rate, got store.Allowance) {
	h.Set("RateLimit-Policy", fmt.Sprintf(`"default";q=%d;w=%d`, rate.Burst, seconds(time.Duration(rate.Burst)*rate.Every)))
	h.Set("RateLimit", fmt.Sprintf(`"default";r=%d;t=%d`, got.Remaining, seconds(got.Reset)))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// guess counts a try to guess a secret, before it is looked at, and gives it back when it was none: so parallel guesses
// cannot slip in between a check and a count.
type guess struct {
	auth    *Auth
	source  netip.Addr
	account string // keyed hash; "" when the input names no account
}

func (a *Auth) guess(ctx context.Context, c *Call, in any) (*guess, error) {
	if a.cfg.InsecureNoRateLimits {
		return nil, nil
	}
	g := &guess{auth: a, source: c.Source}
	if got := a.sources.Take("failure", c.Source, rateSourceFailures, a.now()); !got.OK {
		return nil, errRateLimited.After(got.RetryAfter)
	}
	account := guessed(c, in)
	if account == "" {
		return g, nil
	}
	mac := a.cfg.Key.master.MAC("ostiary throttle v1", []byte(account))
	g.account = "failure:" + base64.RawURLEncoding.EncodeToString(mac[:16])
	got, err := a.volatile.Counters().Take(ctx, g.account, rateAccountFailures, a.now())
	if err == nil && got.OK {
		return g, nil
	}
	a.sources.Refund("failure", c.Source, rateSourceFailures, a.now())
	if err != nil {
		return nil, fault("count attempt", err)
	}
	return nil, errRateLimited.After(got.RetryAfter)
}

// guessed names the account whose secret is tried: the caller's own, or the one that the input names.
func guessed(c *Call, in any) string {
	if c.Principal != nil && c.Principal.User != nil {
		return "user:" + c.Principal.User.ID
	}
	if named, ok := in.(AccountKey); ok {
		return named.AccountKey()
	}
	return ""
}

// settle gives the try back unless a secret was wrong.
func (g *guess) settle(ctx context.Context, failed bool) {
	if g == nil || failed {
		return
	}
	now := g.auth.now()
	g.auth.sources.Refund("failure", g.source, rateSourceFailures, now)
	if g.account == "" {
		return
	}
	if err := g.auth.volatile.Counters().Refund(context.WithoutCancel(ctx), g.account, rateAccountFailures, now); err != nil {
		g.auth.log.WarnContext(ctx, "an attempt could not be given back", "error", err)
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
