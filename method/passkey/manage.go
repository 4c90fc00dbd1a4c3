package passkey

import (
	"context"

	"github.com/ostiary/ostiary"
)

// List is a page of passkeys. There is only ever one page.
type List struct {
	Items      []Passkey `json:"items"`
	NextCursor string    `json:"next_cursor"`
}

func (m *Method) list(ctx context.Context, c *ostiary.Call, _ *ostiary.None) (List, error) {
	all, err := m.of(ctx, m.kit.Credentials, caller(c).ID)
	if err != nil {
		return List{}, err
	}
	page := List{Items: make([]Passkey, 0, len(all))}
	for _, e := range all {
		page.Items = append(page.Items, e.public())
	}
	return page, nil
}

type updateInput struct {
	ID     string  `path:"id" json:"-"`
	Name   *string `json:"name,omitempty"`
	Factor *bool   `json:"factor,omitempty"` // whether sign-in with a password demands a second step
}

// update renames a passkey, or begins or ceases to demand a second step.
func (m *Method) update(ctx context.Context, c *ostiary.Call, in *updateInput) (p Passkey, err error) {
	var name string
	if in.Name != nil {
		if name, err = checkName(*in.Name); err != nil {
			return p, err
		}
		if name == "" {
			return p, errMalformed.At("body.name", "must not be empty")
		}
	}
	err = m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		e, err := m.own(ctx, t, caller(c).ID, in.ID)
		if err != nil {
			return err
		}
		if in.Name != nil {
			e.Name = name
		}
		if in.Factor != nil {
			e.row.Factor = *in.Factor
			if err := m.mayDemand(ctx, t, e); err != nil {
				return err
			}
		}
		row, err := e.sealed()
		if err != nil {
			return err
		}
		p = e.public()
		if err := t.Credentials.Update(ctx, row); err != nil {
			return err
		}
		return t.Emit(ctx, "passkey.updated", e.row.UserID, map[string]string{"passkey": e.row.ID})
	})
	return p, err
}

type removeInput struct {
	ID string `path:"id" json:"-"`
}

// remove deletes a passkey; that it is not the last way in is the vault's to say (R31).
func (m *Method) remove(ctx context.Context, c *ostiary.Call, in *removeInput) (ostiary.None, error) {
	return ostiary.None{}, m.kit.Do(ctx, c, func(t *ostiary.Tx) error {
		u := caller(c)
		e, err := m.own(ctx, t, u.ID, in.ID)
		if err != nil {
			return err
		}
		if err := t.Credentials.Delete(ctx, e.row); err != nil {
			return err
		}
		if err := t.Emit(ctx, "passkey.deleted", u.ID, map[string]string{"passkey": e.row.ID}); err != nil {
			return err
		}
		return m.tell(ctx, t, *u, "passkey_removed")
	})
}

// own finds a passkey of a person's own.
func (m *Method) own(ctx context.Context, t *ostiary.Tx, userID, id string) (entry, error) {
	all, err := m.of(ctx, t.Credentials, userID)
	if err != nil {
		return entry{}, err
	}
	for _, e := range all {
		if e.row.ID == id {
			return e, nil
		}
	}
	return entry{}, errNotFound
}

// tell sends a person a notice about his passkeys. An address that was never confirmed may be a stranger's and is told nothing.
func (m *Method) tell(ctx context.Context, t *ostiary.Tx, u ostiary.User, notice string) error {
	if !u.EmailVerified {
		return nil
	}
	return t.Mail(ctx, u, notice, map[string]string{"Link": m.kit.Link("/account")})
}
