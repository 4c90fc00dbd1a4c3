package ostiarytest

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ostiary/ostiary/mail"
)

// patience is how long Next waits, in real time. It is reached only when a test fails.
const patience = 10 * time.Second

// Mailbox keeps every mail that the server sends. It is a [mail.Sender].
type Mailbox struct {
	mu     sync.Mutex
	unread []Mail
	more   chan struct{} // closed when a mail comes
	link   *regexp.Regexp
}

// Mail is one mail, as a person gets it.
type Mail struct {
	mail.Message
	Links []string // of the text, in order
}

func newMailbox() *Mailbox {
	return &Mailbox{more: make(chan struct{}), link: regexp.MustCompile(`https?://\S+`)}
}

// Send keeps a mail.
func (b *Mailbox) Send(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unread = append(b.unread, Mail{m, b.link.FindAllString(m.Text, -1)})
	close(b.more)
	b.more = make(chan struct{})
	return nil
}

// Next returns the oldest mail to an address that it has not returned yet, and waits for it if need be. None within ten
// seconds fails the test.
func (b *Mailbox) Next(t testing.TB, to string) Mail {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		m, ok, more := b.take(to)
		if ok {
			return m
		}
		select {
		case <-more:
		case <-late.C:
			t.Fatalf("no mail to %s came", to)
		case <-t.Context().Done():
			t.Fatalf("the test ended before a mail to %s came", to)
		}
	}
}

func (b *Mailbox) take(to string) (m Mail, ok bool, more chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, m := range b.unread {
		if strings.EqualFold(m.To, to) {
			b.unread = append(b.unread[:i:i], b.unread[i+1:]...)
			return m, true, nil
		}
	}
	return Mail{}, false, b.more
}

// Token is the token of the first link that has one, "" if there is none.
func (m Mail) Token() string {
	for _, link := range m.Links {
		u, err := url.Parse(link)
		if err != nil {
			continue
		}
		if token := u.Query().Get("token"); token != "" {
			return token
		}
	}
	return ""
}
