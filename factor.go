package ostiary

import (
	"context"
	"slices"
)

// SecondFactor is a [Verifier] whose proof may be the second one of a sign-in.
type SecondFactor interface {
	Verifier
	// Guessable says that a response can be guessed (a six-digit code), so that failures are counted for the account (R29).
	Guessable() bool
}

// Challenger is a [SecondFactor] that asks before it is answered: a passkey. What it returns goes to the caller as it is.
type Challenger interface {
	SecondFactor
	Challenge(ctx context.Context, c *Call, userID string) (any, error)
}

// category is what a factor rests on (R28): two factors means two categories.
type category int

const (
	knowledge category = iota + 1
	possession
	inherence
)

// categories of authentication methods, by their RFC 8176 names. A mailbox ("mail") is none: whoever has it chooses the
// password, too, and both together are one factor.
var categories = map[string]category{
	"pwd": knowledge, "pin": knowledge, "kba": knowledge,
	"otp": possession, "hwk": possession, "swk": possession, "sms": possession, "tel": possession, "sc": possession,
	"pop":  possession,
	"face": inherence, "fpt": inherence, "iris": inherence, "retina": inherence, "vbm": inherence, "user": inherence,
}

// aboutFactors adds what the methods of a proof amount to: "mfa" when they rest on two categories.
func aboutFactors(proof Proof) []string {
	var found []category
	for _, m := range proof.AMR {
		if c := categories[m]; c != 0 && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	if len(found) > 1 || proof.UserVerified {
		return union(proof.AMR, []string{"mfa"})
	}
	return proof.AMR
}

// secondFactors are the methods that somebody can show beside the one that he has shown: what he enrolled, if its method is
// configured, backup codes last.
func (a *Auth) secondFactors(p *person, shown string) []string {
	var usable []string
	for _, m := range p.methods {
		if f, ok := a.verifiers[m].(SecondFactor); ok && f != nil && m != shown {
			usable = append(usable, m)
		}
	}
	slices.Sort(usable)
	if i := slices.Index(usable, BackupCodes); i >= 0 {
		usable = append(slices.Delete(usable, i, i+1), BackupCodes)
	}
	return usable
}
