package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ostiary/ostiary"
)

// New returns the engine's way to a mail server: notices become words by templates, and go out by sender. What can never
// be delivered, because the server refused it for good or there are no words for it, is ostiary.ErrUndeliverable.
func New(sender Sender, templates *Templates) ostiary.Mailer {
	return &mailer{sender, templates}
}

type mailer struct {
	sender    Sender
	templates *Templates
}

// Deliver writes and sends one mail.
func (m *mailer) Deliver(ctx context.Context, n ostiary.Notice) error {
	msg, err := m.templates.Render(n.Template, n.Locale, fields(n.Data))
	if err != nil {
		return fmt.Errorf("write mail: %w: %w", ostiary.ErrUndeliverable, err)
	}
	msg.To = n.To
	if err := m.sender.Send(ctx, msg); err != nil {
		if errors.Is(err, ErrPermanent) {
			return fmt.Errorf("send mail: %w: %w", ostiary.ErrUndeliverable, err)
		}
		return fmt.Errorf("send mail: %w", err)
	}
	return nil
}

// fields are the data of a notice as templates want them: what is a list there is separated by commas in a notice.
func fields(data map[string]string) map[string]any {
	all := make(map[string]any, len(data))
	for k, v := range data {
		all[k] = v
	}
	if list := data["Factors"]; list != "" {
		all["Factors"] = inWords(strings.Split(list, ","))
	} else {
		delete(all, "Factors")
	}
	return all
}

// inWords names methods as people know them.
func inWords(methods []string) []string {
	known := map[string]string{
		"totp": "codes of an app", "backup_code": "backup codes", "passkey": "a passkey", "apikey": "keys for programs",
	}
	words := make([]string, 0, len(methods))
	for _, m := range methods {
		if w, ok := known[m]; ok {
			m = w
		}
		words = append(words, strings.TrimPrefix(m, "identity:"))
	}
	return words
}
