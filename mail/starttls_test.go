package mail

import (
	"testing"

	gomail "github.com/wneessen/go-mail"
)

// Hosts that are not this machine are spoken to with TLS only.
func TestSTARTTLSIsRequiredElsewhere(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		url, policy string
	}{
		"elsewhere": {"smtp://mail.example.com?from=a@example.com", gomail.TLSMandatory.String()},
		"address":   {"smtp://192.0.2.1?from=a@example.com", gomail.TLSMandatory.String()},
		"lookalike": {"smtp://localhost.example.com?from=a@example.com", gomail.TLSMandatory.String()},
		"localhost": {"smtp://localhost?from=a@example.com", gomail.NoTLS.String()},
		"IPv4":      {"smtp://127.0.0.2?from=a@example.com", gomail.NoTLS.String()},
		"IPv6":      {"smtp://[::1]:25?from=a@example.com", gomail.NoTLS.String()},
	}
	for name, c := range cases {
		sender, err := NewSMTP(SMTPConfig{URL: c.url})
		if err != nil {
			t.Fatal(err)
		}
		r := sender.(*relay)
		client, err := gomail.NewClient(r.host, r.options(t.Context())...)
		if err != nil {
			t.Fatal(err)
		}
		if client.TLSPolicy() != c.policy {
			t.Errorf("%s: policy %s, want %s", name, client.TLSPolicy(), c.policy)
		}
	}
}
