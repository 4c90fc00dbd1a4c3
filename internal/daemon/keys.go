package daemon

import (
	"errors"
	"fmt"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/server"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/token"
)

type keysCommand struct {
	List   keysList   `cmd:"" help:"List the signing keys."`
	Rotate keysRotate `cmd:"" help:"Make a new key now. It signs once every cached key set knows it."`
	Revoke keysRevoke `cmd:"" help:"Kill a stolen key, and with it every token that it signed."`
}

func showKey(k token.Key, now time.Time) admin.Key {
	state := "current"
	switch {
	case now.Before(k.Sign):
		state = "next"
	case !k.Retire.IsZero() && !now.Before(k.Retire):
		state = "retired"
	}
	return admin.Key{
		KeyID: k.ID, Alg: k.Alg, State: state, PublishedAt: known(k.Publish), SignsFrom: known(k.Sign),
		SignsUntil: known(k.Retire), RemovedAt: known(k.Remove),
	}
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type keysList struct{}

func (keysList) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		keys, err := e.Keys(a)
		if err != nil {
			return err
		}
		found := list[admin.Key]{Items: []admin.Key{}}
		var rows [][]string
		for _, k := range keys {
			shown := showKey(k, e.Now())
			found.Items = append(found.Items, shown)
			rows = append(rows, []string{k.ID, string(k.Alg), shown.State, when(k.Sign), when(k.Retire)})
		}
		if a.json {
			return a.print(found)
		}
		return a.table([]string{"KEY", "ALG", "STATE", "SIGNS FROM", "UNTIL"}, rows)
	})
}

type keysRotate struct{}

func (keysRotate) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		k, err := e.RotateKey(a, c)
		if err != nil {
			return err
		}
		if a.json {
			return a.print(showKey(k, e.Now()))
		}
		a.say("Made key %s, which signs from %s", k.ID, when(k.Sign))
		return nil
	})
}

type keysRevoke struct {
	Key string `arg:"" help:"ID of the key."`
}

func (p keysRevoke) Run(a *app) error {
	return a.open(func(_ *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		err := e.RevokeKey(a, c, p.Key)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no key %q", p.Key)
		}
		if err != nil {
			return err
		}
		if a.json {
			return a.print(map[string]string{"revoked": p.Key})
		}
		a.say("Revoked key %s and every token that it signed", p.Key)
		return nil
	})
}
