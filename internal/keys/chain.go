package keys

import (
	"time"

	"github.com/ostiary/ostiary/token"
)

// leeway is added to the life of a retired key: clocks of issuer and verifiers differ by at most that.
const leeway = 2 * time.Minute

// maxChain bounds the keys of one algorithm that exist at once. When it is reached, the newest key goes on signing.
const maxChain = 32

// chain is the links of one algorithm in the order in which they sign. Exactly one signs at any moment: each from its own
// time until the next one's. The last has no end, so a node that was down for a week still has a key to sign with.
type chain []link

func chains(links []link) map[token.Alg]chain {
	out := make(map[token.Alg]chain)
	for _, l := range links {
		out[l.Alg] = append(out[l.Alg], l)
	}
	return out
}

// signing returns the link whose turn it is, if that can sign.
func (c chain) signing(now time.Time) (link, bool) {
	for i := len(c) - 1; i >= 0; i-- {
		if !now.Before(c[i].Sign) {
			return c[i], !c[i].revoked()
		}
	}
	return link{}, false
}

// next is the number of the period after the newest.
func (c chain) next() int { return c.newest() + 1 }

func (c chain) newest() int {
	newest := 0
	for _, l := range c {
		newest = max(newest, l.number)
	}
	return newest
}

// atOnce is the time of signing for a key that cannot wait: a little in the past, so that a node whose clock is behind uses
// it too instead of making one of its own, but never before the key whose place it takes.
func (c chain) atOnce(now time.Time) time.Time {
	sign := now.Add(-leeway)
	for _, l := range c {
		if !now.Before(l.Sign) {
			sign = later(sign, l.Sign)
		}
	}
	return sign
}

// due says from when the next key is to sign, if it is time to publish it.
func (r *Rotator) due(c chain, now time.Time) (sign time.Time, ok bool) {
	if _, ok := c.signing(now); !ok {
		return c.atOnce(now), true // no key set out there has a key that could sign: waiting would help nobody
	}
	if len(c) >= maxChain {
		return time.Time{}, false
	}
	end := c[len(c)-1].Sign.Add(r.cfg.Every)
	if now.Before(end.Add(-r.cfg.Ahead)) {
		return time.Time{}, false
	}
	return later(end, now.Add(r.cfg.Ahead)), true
}

// retire is when link i stops signing; zero: not yet known. The last key of an algorithm that is no longer configured
// ends with its period.
func (r *Rotator) retire(c chain, i int) time.Time {
	if i+1 < len(c) {
		return c[i+1].Sign
	}
	if !r.configured(c[i].Alg) {
		return c[i].Sign.Add(r.cfg.Every)
	}
	return time.Time{}
}

// remove is when the last token of link i has expired everywhere.
func (r *Rotator) remove(c chain, i int) time.Time {
	end := r.retire(c, i)
	if end.IsZero() {
		return end
	}
	return end.Add(r.cfg.TokenTTL + leeway)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
