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

// rateDeviceCodes is what one known device (R39) has of its own beyond that: five at once and one more every 4 hours. So whoever
// has only the password cannot keep the owner out by wrong codes.
var rateDeviceCodes = store.Rate{Burst: 5, Every: 4 * time.Hour}

// verify lets a method look at a response. A factor that can be guessed costs a try of its account before it is looked at,
// which is given back unless it was wrong: so parallel guesses cannot slip in between a check and a count. Factors that
// cannot be guessed stay usable whatever somebody else tried.
func (a *Auth) verify(ctx context.Context, c *Call, v Verifier, userID string, response json.RawMessage) (Proof, error) {
	f, ok := v.(SecondFactor)
	if !ok || !f.Guessable() || a.cfg.InsecureNoRateLimits {
		return v.Verify(ctx, c, userID, response)
	}
	key, rate, err := a.takeCode(ctx, c, userID)
	if err != nil {
		return Proof{}, err
	}
	proof, err := v.Verify(ctx, c, userID, response)
	if err != nil && wrongSecret(err) {
		return proof, err
	}
	if back := a.volatile.Counters().Refund(context.WithoutCancel(ctx), key, a.now(), rate); back != nil {
		a.log.WarnContext(ctx, "an attempt could not be given back", "error", back)
	}
	return proof, err
}

// takeCode takes a try of the account, or when that has none left, of the device.
func (a *Auth) takeCode(ctx context.Context, c *Call, userID string) (key string, rate store.Rate, err error) {
	key = a.counterKey(countCodes, countCodes+"\x00"+userID)
	account, err := a.volatile.Counters().Take(ctx, key, a.now(), rateCodes)
	if err != nil || account.OK {
		return key, rateCodes, fault("count attempt", err)
	}
	nonce, err := a.deviceOf(ctx, c, userID)
	if err != nil {
		return "", rate, err
	}
	if nonce == "" {
		return "", rate, errRateLimited.After(account.RetryAfter)
	}
	key = a.counterKey(countDeviceCodes, nonce)
	device, err := a.volatile.Counters().Take(ctx, key, a.now(), rateDeviceCodes)
	if err != nil {
		return "", rate, fault("count attempt", err)
	}
	if !device.OK {
		return "", rate, errRateLimited.After(min(account.RetryAfter, device.RetryAfter))
	}
	return key, rateDeviceCodes, nil
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
