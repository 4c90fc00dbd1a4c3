package passkey

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ostiary/ostiary"
)

// Factor is what a second step asks for.
type Factor struct {
	PublicKey json.RawMessage `json:"publicKey"`
}

// Challenge asks for one of the person's own passkeys.
func (m *Method) Challenge(ctx context.Context, _ *ostiary.Call, userID string) (any, error) {
	if m.party == nil {
		return nil, errUnavailable
	}
	list, err := m.of(ctx, m.kit.Credentials, userID)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errFactor.Because(errors.New("the person has no passkey"))
	}
	own, err := credentials(list)
	if err != nil {
		return nil, err
	}
	b, err := m.askGet(ctx, forFactor, userID, own)
	return Factor{b.PublicKey}, err
}

// Verify checks what a passkey of a known person answered: to the challenge of a second step, or, when he is signed in, to
// one that anybody may ask for. The challenge is found in the answer.
func (m *Method) Verify(ctx context.Context, c *ostiary.Call, userID string, response json.RawMessage) (ostiary.Proof, error) {
	if m.party == nil {
		return ostiary.Proof{}, errUnavailable
	}
	parsed, err := parseUsed(response)
	if err != nil {
		return ostiary.Proof{}, err
	}
	u := use{purpose: forFactor, ticket: parsed.Response.CollectedClientData.Challenge, userID: userID, parsed: parsed, refusal: errFactor}
	proof, err := m.prove(ctx, c, u)
	if !errors.Is(err, errTicket) || c.Principal == nil || c.Principal.User == nil || c.Principal.User.ID != userID {
		return proof, err
	}
	u.purpose = forLogin
	return m.prove(ctx, c, u)
}
