package daemon

import (
	"strings"
	"time"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/server"
)

type apikeysCommand struct {
	Create  apikeysCreate  `cmd:"" help:"Make a key. It is printed this once."`
	List    apikeysList    `cmd:"" help:"List the keys of one owner."`
	Revoke  apikeysRevoke  `cmd:"" help:"Delete a key: it stops working at once."`
	Service apikeysService `cmd:"" help:"Make a service account: an owner of keys to whom nobody signs in."`
}

type apikeysCreate struct {
	whom
	Name    string        `required:"" placeholder:"NAME" help:"What the key is for."`
	Scope   []string      `placeholder:"PATTERN" help:"Permissions that the key may use, such as todos:read or *:read. Default *:read."`
	Expires time.Duration `placeholder:"DURATION" help:"How long the key works. Default: until it is revoked."`
	Test    bool          `help:"Make an ost_test_ key."`
}

func (p apikeysCreate) wish(now time.Time) apikey.Wish {
	w := apikey.Wish{Name: p.Name, Test: p.Test}
	if len(p.Scope) > 0 {
		w.Scopes = &p.Scope
	}
	if p.Expires != 0 {
		at := now.Add(p.Expires)
		w.ExpiresAt = &at
	}
	return w
}

func (p apikeysCreate) Run(a *app) error {
	return a.open(func(s *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		var k apikey.NewKey
		err = e.Do(a, c, func(t *ostiary.Tx) error {
			k, err = s.APIKeys().Create(a, t, u.ID, p.wish(e.Now()))
			return err
		})
		if err != nil {
			return err
		}
		if a.json {
			return a.print(k)
		}
		a.say("Made key %s. It is shown this once:\n%s", k.ID, k.Text)
		return nil
	})
}

type apikeysList struct{ whom }

func (p apikeysList) Run(a *app) error {
	return a.open(func(s *server.Server, e *ostiary.Engine, _ *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		keys, err := s.APIKeys().List(a, u.ID)
		if err != nil {
			return err
		}
		if a.json {
			return a.print(list[apikey.Key]{Items: keys})
		}
		rows := make([][]string, 0, len(keys))
		for _, k := range keys {
			rows = append(rows, []string{k.ID, k.Name, k.Prefix, strings.Join(k.Scopes, ","), perhaps(k.ExpiresAt), perhaps(k.LastUsedAt)})
		}
		return a.table([]string{"ID", "NAME", "BEGINS", "SCOPES", "EXPIRES", "LAST USED"}, rows)
	})
}

func perhaps(t *time.Time) string {
	if t == nil {
		return ""
	}
	return when(*t)
}

type apikeysRevoke struct {
	whom
	Key string `arg:"" help:"ID of the key."`
}

func (p apikeysRevoke) Run(a *app) error {
	return a.open(func(s *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		if err := e.Do(a, c, func(t *ostiary.Tx) error { return s.APIKeys().Revoke(a, t, u.ID, p.Key) }); err != nil {
			return err
		}
		if a.json {
			return a.print(map[string]string{"revoked": p.Key})
		}
		a.say("Revoked key %s", p.Key)
		return nil
	})
}

type apikeysService struct {
	Name string   `required:"" placeholder:"NAME" help:"What the account is for."`
	Role []string `placeholder:"ROLE" help:"Roles of the account."`
}

func (p apikeysService) Run(a *app) error {
	return a.open(func(s *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		var u ostiary.User
		err := e.Administer(a, c, func(t *ostiary.AdminTx) (err error) {
			u, err = s.APIKeys().CreateService(a, t, apikey.Service{Name: p.Name, Roles: p.Role})
			return err
		})
		if err != nil {
			return err
		}
		if a.json {
			return a.print(u)
		}
		a.say("Created %s (%s)", p.Name, u.ID)
		return nil
	})
}
