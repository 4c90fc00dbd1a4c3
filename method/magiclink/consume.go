package magiclink

import (
	"context"
	"errors"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

type consumeInput struct {
	ostiary.Deliver
	Token  string `json:"token,omitempty"`
	Ticket string `json:"ticket,omitempty"` // with the code, or with the token where there is no cookie
	Code   string `json:"code,omitempty"`
}

// consume takes either form. Whatever is refused leaves the other form as good as it was.
func (m *Method) consume(ctx context.Context, c *ostiary.Call, in *consumeInput) (ostiary.Proof, error) {
	switch {
	case in.Token != "" && in.Code == "":
		return m.byLink(ctx, c, in)
	case in.Token == "" && in.Ticket != "" && in.Code != "":
		return m.byCode(ctx, c, in)
	}
	return ostiary.Proof{}, errMalformed
}

func (m *Method) byLink(ctx context.Context, c *ostiary.Call, in *consumeInput) (ostiary.Proof, error) {
	key, half := split(in.Token)
	var l letter
	if _, err := m.kit.Tickets.Peek(ctx, kind, key, &l); err != nil {
		return ostiary.Proof{}, err
	}
	if !same(l.Token, half) {
		return ostiary.Proof{}, errTicket
	}
	if !l.asker(c, key, in.Ticket) {
		return ostiary.Proof{}, errElsewhere
	}
	return m.redeem(ctx, c, key, l)
}

func (m *Method) byCode(ctx context.Context, c *ostiary.Call, in *consumeInput) (ostiary.Proof, error) {
	key, half := split(in.Ticket)
	var l letter
	if _, err := m.kit.Tickets.Peek(ctx, kind, key, &l); err != nil {
		return ostiary.Proof{}, err
	}
	if !same(l.Ticket, half) {
		return ostiary.Proof{}, errTicket
	}
	n, err := m.kit.Tickets.Attempt(ctx, kind, key)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if n > maxGuesses {
		return ostiary.Proof{}, errTicket.Because(errors.New("too many attempts"))
	}
	may, err := m.kit.Allow(ctx, "code", l.Address, rateCodes)
	if err != nil {
		return ostiary.Proof{}, err
	}
	if !may {
		return ostiary.Proof{}, errGuesses.After(rateCodes.Every)
	}
	if !l.rightCode(in.Code) {
		return ostiary.Proof{}, errTicket
	}
	proof, err := m.redeem(ctx, c, key, l)
	if err != nil {
		return ostiary.Proof{}, err
	}
	m.giveBack(ctx, "code", l.Address, rateCodes) // it was no guess
	return proof, nil
}

// redeem uses the ticket up: of all who come with its link or its code, one wins.
func (m *Method) redeem(ctx context.Context, c *ostiary.Call, key string, l letter) (ostiary.Proof, error) {
	var u ostiary.User
	var err error = errTaken // somebody registered the address between the look and the write: look again
	for try := 0; try < 2 && errors.Is(err, errTaken); try++ {
		u, err = m.settle(ctx, c, key, l)
	}
	if err != nil {
		return ostiary.Proof{}, err
	}
	m.giveBack(ctx, place(l.Slot), l.Address, m.rateSlot())
	return ostiary.Proof{UserID: u.ID, AMR: []string{"mail"}, Epoch: u.Epoch}, nil
}

func (m *Method) giveBack(ctx context.Context, limit, address string, rate store.Rate) {
	if err := m.kit.GiveBack(context.WithoutCancel(ctx), limit, address, rate); err != nil {
		m.kit.Log.WarnContext(ctx, "a unit of a limit could not be given back", "limit", limit, "error", err)
	}
}

func (m *Method) settle(ctx context.Context, c *ostiary.Call, key string, l letter) (u ostiary.User, err error) {
	joined, known := ostiary.User{}, false
	if l.SignUp != "" {
		if joined, known, err = m.owner(ctx, l.SignUp); err != nil {
			return u, err
		}
		if !known && !m.open() {
			return u, errClosed
		}
	}
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		userID, err := t.Tickets.Redeem(ctx, kind, key, nil)
		switch {
		case err != nil:
			return err
		case l.SignUp == "":
			u, err = m.prove(ctx, t, userID, l)
		case known:
			l.Epoch = joined.Epoch
			u, err = m.prove(ctx, t, joined.ID, l)
		default:
			u, err = t.CreateUser(ctx, ostiary.NewUser{Email: l.SignUp, EmailVerified: true})
		}
		return err
	})
	return u, err
}

// prove checks that the person is still the one the mail was for. When the mail proved the address for the first time,
// nothing that was made before stays (R26).
func (m *Method) prove(ctx context.Context, t *ostiary.Tx, userID string, l letter) (ostiary.User, error) {
	u, err := t.User(ctx, userID)
	if ok, err := found(err); !ok {
		return u, orTicket(err)
	}
	at, err := m.kit.NormalEmail(u.Email)
	if err != nil || at != l.Address || u.Epoch != l.Epoch || !active(u) {
		return u, errTicket.Because(err)
	}
	if u.EmailVerified {
		return u, nil
	}
	if err := t.FirstProof(ctx, userID); err != nil {
		return u, err
	}
	return t.User(ctx, userID)
}

func orTicket(err error) error {
	if err != nil {
		return err
	}
	return errTicket
}
