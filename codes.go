package ostiary

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"time"

	"github.com/ostiary/ostiary/store"
)

// rateCodes bounds the wrong codes of one account across all tickets and sources: ten at once and one more every 72 minutes.
// That is never more than ten in an hour, nor more than thirty in a day (R29).
var rateCodes = store.Rate{Burst: 10, Every: 72 * time.Minute}

// verify lets a method look at a response. A factor that can be guessed costs a try of its account before it is looked at,
// which is given back unless it was wrong: so parallel guesses cannot slip in between a check and a count. Factors that
// cannot be guessed stay usable whatever somebody else tried.
func (a *Auth) verify(ctx context.Context, c *Call, v Verifier, userID string, response json.RawMessage) (Proof, error) {
	f, ok := v.(SecondFactor)
	if !ok || !f.Guessable() || a.cfg.InsecureNoRateLimits {
		return v.Verify(ctx, c, userID, response)
	}
	key := a.counterKey(countCodes, countCodes+"\x00"+userID)
	got, err := a.volatile.Counters().Take(ctx, key, a.now(), rateCodes)
	if err != nil {
		return Proof{}, fault("count attempt", err)
	}
	if !got.OK {
		return Proof{}, errRateLimited.After(got.RetryAfter)
	}
	proof, err := v.Verify(ctx, c, userID, response)
	if err != nil && wrongSecret(err) {
		return proof, err
	}
	if back := a.volatile.Counters().Refund(context.WithoutCancel(ctx), key, a.now(), rateCodes); back != nil {
		a.log.WarnContext(ctx, "an attempt could not be given back", "error", back)
	}
	return proof, err
}

const hashPurpose = "ostiary code v1"

func (k *Kit) hashInput(userID, secret string) []byte {
	return []byte(k.name + "\x00" + userID + "\x00" + secret)
}

// Hash is the keyed hash under which a method keeps a person's secret that is short enough to be typed (R33).
func (k *Kit) Hash(userID, secret string) []byte {
	mac := k.a.cfg.Key.master.MAC(hashPurpose, k.hashInput(userID, secret))
	return mac[:]
}

// Matches finds which of the hashes is that of a secret, under any master key that we still have; -1 when none is. It takes
// the same time whichever it is.
func (k *Kit) Matches(userID, secret string, hashes [][]byte) int {
	found := -1
	for _, mac := range k.a.cfg.Key.master.MACs(hashPurpose, k.hashInput(userID, secret)) {
		for i, h := range hashes {
			if hmac.Equal(mac[:], h) {
				found = i
			}
		}
	}
	return found
}
