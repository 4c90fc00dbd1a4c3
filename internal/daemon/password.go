package daemon

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/server"
)

// passwordFile is where a password comes from: never from an argument, which everybody on the machine can see.
type passwordFile struct {
	PasswordFile string `name:"password-file" placeholder:"FILE" help:"File that holds the password; - reads standard input. Without it one is generated and printed once."`
}

// read returns the password, and whether it was generated.
func (p passwordFile) read(a *app) (text string, generated bool, err error) {
	if p.PasswordFile == "" {
		return password.Generate(), true, nil
	}
	in := a.Stdin
	if p.PasswordFile != "-" {
		f, err := os.Open(p.PasswordFile)
		if err != nil {
			return "", false, fmt.Errorf("read password: %w", err)
		}
		defer f.Close()
		in = f
	}
	line, err := bufio.NewReader(io.LimitReader(in, 4<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("read password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", false, errors.New("read password: there is none in the first line")
	}
	return line, false, nil
}

type usersSetPassword struct {
	whom
	passwordFile
}

func (p usersSetPassword) Run(a *app) error {
	text, generated, err := p.read(a)
	if err != nil {
		return err
	}
	return a.open(func(s *server.Server, e *ostiary.Engine, c *ostiary.Call) error {
		u, err := p.find(a, e)
		if err != nil {
			return err
		}
		hash, err := s.Passwords().Prepare(a, text, u.Email, u.Name)
		if err != nil {
			return err
		}
		if err := e.Administer(a, c, func(t *ostiary.AdminTx) error { return s.Passwords().Put(a, t.Tx, u.ID, hash) }); err != nil {
			return err
		}
		out := created{User: u}
		if generated {
			out.Password = text
		}
		if a.json {
			return a.print(out)
		}
		a.say("%s has a new password", name(u))
		a.tellPassword(out.Password)
		return nil
	})
}

func (a *app) tellPassword(text string) {
	if text != "" {
		a.say("Password, shown only now: %s", text)
	}
}
