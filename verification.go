package ostiary

import (
	"context"
	"time"
)

const verificationKind = "verification"

// Verification is what the link in the mail of a registration confirms: this address of this person, and of the account
// exactly what the registration made.
type Verification struct {
	UserID  string `json:"-"`
	Address string `json:"a"` // normal form
	Keep    string `json:"k"` // ID of a credential; see [Tx.ConfirmEmail]
}

// IssueVerification returns the secret of a link that confirms a person's address. keep names the credential that the
// registration made; empty: the oldest one that signs the person in, because that is how every registration begins.
func (t *Tx) IssueVerification(ctx context.Context, u User, keep string, ttl time.Duration) (string, error) {
	normal, err := normalEmail(u.Email)
	if err != nil {
		return "", err
	}
	if keep == "" {
		if keep, err = t.registration(ctx, u.ID); err != nil {
			return "", err
		}
	}
	return t.a.engineDesk(t.tx).Issue(ctx, verificationKind, u.ID, ttl, Verification{Address: normal, Keep: keep})
}

// registration is the ID of the oldest credential of a person that signs him in, "" if there is none.
func (t *Tx) registration(ctx context.Context, userID string) (string, error) {
	creds, err := t.tx.Credentials().Of(ctx, userID)
	if err != nil {
		return "", fault("read credentials", err)
	}
	for _, c := range creds {
		if t.a.wayIn(c.Method) {
			return c.ID, nil
		}
	}
	return "", nil
}

// RedeemVerification uses such a secret up. Whatever is wrong with it, the answer is invalid_ticket.
func (t *Tx) RedeemVerification(ctx context.Context, secret string) (Verification, error) {
	var v Verification
	userID, err := t.a.engineDesk(t.tx).Redeem(ctx, verificationKind, secret, &v)
	v.UserID = userID
	return v, err
}
