package mail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/mail"
)

// sender keeps the last message, and answers with err.
type sender struct {
	got mail.Message
	err error
}

func (s *sender) Send(_ context.Context, m mail.Message) error {
	s.got = m
	return s.err
}

func TestNoticeBecomesMail(t *testing.T) {
	t.Parallel()
	s := &sender{}
	err := mail.New(s, templates(t)).Deliver(t.Context(), ostiary.Notice{
		To: "ada@example.com", Template: "reset", Locale: "de-AT",
		Data: map[string]string{"Product": "Example", "URL": "https://id.example.com", "Link": "https://id.example.com/reset?token=x", "Name": "Ada", "Factors": "totp,passkey"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"https://id.example.com/reset?token=x", "Hello Ada,", "codes of an app, a passkey"} {
		if !strings.Contains(s.got.Text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, s.got.Text)
		}
	}
	if s.got.To != "ada@example.com" || s.got.Subject != "Choose a new password for Example" {
		t.Errorf("got %q to %q", s.got.Subject, s.got.To)
	}
}

func TestUndeliverable(t *testing.T) {
	t.Parallel()
	whole := map[string]string{"Product": "Example", "URL": "https://id.example.com", "Link": "https://id.example.com/verify"}
	cases := map[string]struct {
		template string
		data     map[string]string
		sent     error
		want     bool
	}{
		"refused for good": {"verify", whole, fmt.Errorf("550: %w", mail.ErrPermanent), true},
		"refused for now":  {"verify", whole, errors.New("421"), false},
		"no such template": {"nonsense", whole, nil, true},
		"data is missing":  {"verify", map[string]string{"Product": "Example"}, nil, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := mail.New(&sender{err: c.sent}, templates(t)).Deliver(t.Context(), ostiary.Notice{To: "a@example.com", Template: c.template, Data: c.data})
			if err == nil || errors.Is(err, ostiary.ErrUndeliverable) != c.want {
				t.Errorf("got %v", err)
			}
		})
	}
}
