package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// SMTPConfig says how to reach the server that takes our mail.
type SMTPConfig struct {
	// URL is smtp://user:password@host:587?from=Example%20%3Cno-reply@example.com%3E (STARTTLS, required) or smtps:// (TLS
	// from the start, port 465). Only a loopback host is spoken to without TLS under smtp://. From is required.
	URL string
	// Timeout bounds one delivery; 0 means 30 s.
	Timeout time.Duration
	// RootCAs are who may vouch for the server; nil means the system's.
	RootCAs *x509.CertPool
}

// relay is the Sender by SMTP. Every message has a connection of its own: the outbox worker sends few.
type relay struct {
	host     string
	port     int
	implicit bool // TLS from the start
	user     *url.Userinfo
	from     *netmail.Address
	timeout  time.Duration
	tls      *tls.Config
	policy   gomail.TLSPolicy // of STARTTLS
}

// NewSMTP returns a Sender by SMTP. It does not connect. Errors never contain the URL: it holds a password.
func NewSMTP(cfg SMTPConfig) (Sender, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("parse SMTP URL: want smtp://user:password@host:587?from=address")
	}
	r := &relay{host: u.Hostname(), port: 587, user: u.User, timeout: cfg.Timeout}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		r.implicit, r.port = true, 465
	default:
		return nil, errors.New("parse SMTP URL: want smtp:// or smtps://")
	}
	if u.Port() != "" {
		if r.port, err = strconv.Atoi(u.Port()); err != nil || r.port < 1 || r.port > 65535 {
			return nil, errors.New("parse SMTP URL: no such port")
		}
	}
	if r.from, err = sender(u.Query()); err != nil {
		return nil, fmt.Errorf("parse SMTP URL: %w", err)
	}
	if r.timeout <= 0 {
		r.timeout = 30 * time.Second
	}
	r.policy = gomail.TLSMandatory
	if loopback(r.host) {
		r.policy = gomail.NoTLS
	}
	r.tls = &tls.Config{ServerName: r.host, RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
	return r, nil
}

// sender reads from=…, the only parameter that there is.
func sender(query url.Values) (*netmail.Address, error) {
	for name := range query {
		if name != "from" {
			return nil, fmt.Errorf("unknown parameter %q", name)
		}
	}
	from, err := netmail.ParseAddress(query.Get("from"))
	if err != nil || strings.ContainsFunc(from.Name, unicode.IsControl) {
		return nil, errors.New("from=… must be an address, like from=no-reply@example.com")
	}
	bare, err := address(from.Address)
	if err != nil {
		return nil, fmt.Errorf("from=…: %w", err)
	}
	bare.Name = from.Name
	return bare, nil
}

// Send delivers one message within the timeout.
func (r *relay) Send(ctx context.Context, m Message) error {
	msg, err := compose(m, r.from, gomail.EncodingQP)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	client, err := gomail.NewClient(r.host, r.options(ctx)...)
	if err != nil {
		return fmt.Errorf("prepare SMTP: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil || msg.IsDelivered() { // what goes wrong after the server's yes must not send it twice
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("send mail: %w", context.Cause(ctx))
	}
	if permanent(err) {
		return fmt.Errorf("send mail: %w: %w", ErrPermanent, err)
	}
	return fmt.Errorf("send mail: %w", err)
}

func (r *relay) options(ctx context.Context) []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(r.port), gomail.WithTimeout(r.timeout), gomail.WithTLSConfig(r.tls),
		gomail.WithTLSPolicy(r.policy), gomail.WithDialContextFunc(r.dialer(ctx)),
		gomail.WithHELO(helo(r.from.Address)),
	}
	if r.implicit {
		options = append(options, gomail.WithSSL())
	}
	if r.user != nil {
		password, _ := r.user.Password()
		options = append(options, gomail.WithUsername(r.user.Username()), gomail.WithPassword(password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return options
}

// dialer returns a dial function whose connection ends with ctx: go-mail itself looks at the context only while dialling.
func (r *relay) dialer(ctx context.Context) gomail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if !r.implicit {
			return conn, nil
		}
		secure := tls.Client(conn, r.tls)
		if err := secure.HandshakeContext(dialing); err != nil {
			return nil, err
		}
		return secure, nil
	}
}

// permanent says whether the server refused this message for good. A refusal of our own account (530, 535, 538) is the
// operator's to mend, so the message waits.
func permanent(err error) bool {
	var refusal *gomail.SendError
	if !errors.As(err, &refusal) {
		return false
	}
	switch code := refusal.ErrorCode(); code {
	case 530, 535, 538:
		return false
	default:
		return code >= 500 && code < 600
	}
}

func helo(from string) string { return from[strings.LastIndexByte(from, '@')+1:] }

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
