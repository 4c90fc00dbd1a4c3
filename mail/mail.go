// Package mail owns messages: their text from templates, and their way out, by SMTP or into a folder during development.
//
// It does not decide when something is sent or how often it is tried: that is the engine's outbox, which calls a Sender.
package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// ErrPermanent says that trying again will not help: the address is not one, or the server refused it for good.
var ErrPermanent = errors.New("mail: refused for good")

// The longest parts of a message. RFC 5321 §4.5.3.1.3 allows 254 bytes for an address.
const (
	maxAddress = 254
	maxSubject = 200 // characters
	maxBody    = 256 << 10
)

// Message is one mail to one person.
type Message struct {
	To      string // an address without a name
	Subject string // one line
	Text    string
	HTML    string // "" for none
}

// Sender delivers messages. An error that is ErrPermanent is not worth another try, any other is. It is safe for
// concurrent use and returns soon after its context ends.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// compose turns a message into MIME. A line break or another control character in a header is refused, not repaired:
// somebody tried something. The error is ErrPermanent.
func compose(m Message, from *netmail.Address, encoding gomail.Encoding) (*gomail.Msg, error) {
	to, err := address(m.To)
	if err != nil {
		return nil, fmt.Errorf("compose mail: recipient: %w: %w", ErrPermanent, err)
	}
	if strings.ContainsFunc(m.Subject, unicode.IsControl) || utf8.RuneCountInString(m.Subject) > maxSubject {
		return nil, fmt.Errorf("compose mail: subject: %w", ErrPermanent)
	}
	if len(m.Text)+len(m.HTML) > maxBody {
		return nil, fmt.Errorf("compose mail: body above %d bytes: %w", maxBody, ErrPermanent)
	}
	msg := gomail.NewMsg(gomail.WithEncoding(encoding), gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.SetAddrHeaderFromMailAddress(gomail.HeaderTo, to)
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(rand.Text() + "@" + from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no out-of-office answers
	msg.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

// address reads a bare address, and writes its domain in ASCII.
func address(s string) (*netmail.Address, error) {
	if len(s) > maxAddress || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return nil, errors.New("not an address")
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s {
		return nil, errors.New("not a bare address")
	}
	at := strings.LastIndexByte(s, '@')
	domain, err := idna.Lookup.ToASCII(s[at+1:])
	if err != nil || domain == "" {
		return nil, errors.New("not a domain")
	}
	return &netmail.Address{Address: s[:at+1] + domain}, nil
}
