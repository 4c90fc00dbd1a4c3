package magiclink

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/store"
)

type askInput struct {
	Email string `json:"email"`
}

// Asked is the answer to everybody who asks for a mail.
type Asked struct {
	// Ticket goes with the code, or with the token of the link where the browser keeps no cookie.
	Ticket string `json:"ticket"`
}

// ask sends a mail to the stored address of the account, if there is one. Whether or not, the same is counted, read and
// written: one transaction, one ticket, one message.
func (m *Method) ask(ctx context.Context, c *ostiary.Call, in *askInput) (Asked, error) {
	email := strings.TrimSpace(in.Email)
	normal, err := m.kit.NormalEmail(email)
	if err != nil {
		return Asked{}, err
	}
	slot, free, err := m.slot(ctx, normal)
	if err != nil {
		return Asked{}, err
	}
	u, known, err := m.owner(ctx, normal)
	if err != nil {
		return Asked{}, err
	}
	code, err := newCode()
	if err != nil {
		return Asked{}, err
	}
	ticket, token := newHalf(), newHalf()
	l := letter{
		Ticket: hash(ticket), Token: hash(token), Browser: hash(c.Mark(cookie, m.ttl)), Code: code, Address: normal, Epoch: u.Epoch, Slot: slot,
	}
	switch {
	case !free || known && !active(u) || !known && !m.open():
		l.Decoy = true
	case !known:
		l.SignUp = email
	}
	var key string
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		if key, err = m.post(ctx, t, u, l, token); err != nil {
			return fmt.Errorf("ask for a link: %w", err)
		}
		return nil
	})
	return Asked{join(key, ticket)}, err
}

// post writes the ticket and the mail.
func (m *Method) post(ctx context.Context, t *ostiary.Tx, u ostiary.User, l letter, token string) (key string, err error) {
	holder := u.ID
	if l.Decoy {
		holder = ""
	}
	if key, err = t.Tickets.Issue(ctx, kind, holder, m.ttl, l); err != nil {
		return "", err
	}
	data := map[string]string{"Link": m.kit.Link("/magic?token=" + join(key, token)), "Code": l.Code, "Expires": minutes(m.ttl)}
	switch {
	case l.Decoy:
		return key, t.MailNobody(ctx)
	case l.SignUp != "":
		return key, t.MailTo(ctx, l.SignUp, u, "magic_signup", data)
	}
	return key, t.Mail(ctx, u, "magic_link", data)
}

// open says whether somebody without an account gets one.
func (m *Method) open() bool {
	policy, _ := m.kit.SignUp()
	return m.signUp && policy == ostiary.SignUpOpen
}

// owner finds the account of an address.
func (m *Method) owner(ctx context.Context, email string) (ostiary.User, bool, error) {
	u, err := m.kit.UserByEmail(ctx, email)
	ok, err := found(err)
	return u, ok, err
}

// slot takes one of the places of an address for a mail that works. None is free while as many mails as there may be are
// neither used nor expired (R30): nobody is told, and none of them stops working.
func (m *Method) slot(ctx context.Context, normal string) (int, bool, error) {
	for i := range maxLive {
		ok, err := m.kit.Allow(ctx, place(i), normal, m.rateSlot())
		if err != nil || ok {
			return i, ok, err
		}
	}
	return 0, false, nil
}

func place(slot int) string { return "live" + strconv.Itoa(slot) }

func (m *Method) rateSlot() store.Rate { return store.Rate{Burst: 1, Every: m.ttl} }

func minutes(d time.Duration) string {
	n := int(d / time.Minute)
	if n == 1 {
		return "1 minute"
	}
	return fmt.Sprintf("%d minutes", n)
}
