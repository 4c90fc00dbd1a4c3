package mail_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/mail"
)

// server is a real SMTP server on a loopback port.
type server struct {
	port   string
	roots  *x509.CertPool
	refuse error         // at RCPT
	hang   chan struct{} // DATA waits for it

	mu       sync.Mutex
	received []string
	from, to string
	known    bool // signed in
}

type session struct{ *server }

func (s session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "relay@example.com" || password != "s p:a@ce" {
			return smtp.ErrAuthFailed
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.known = true
		return nil
	}), nil
}

func (s session) Reset()        {}
func (s session) Logout() error { return nil }

func (s session) Mail(from string, _ *smtp.MailOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from = from
	return nil
}

func (s session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
	return s.refuse
}

func (s session) Data(r io.Reader) error {
	if s.hang != nil {
		<-s.hang
	}
	b, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = append(s.received, string(b))
	return err
}

// serve starts s. Certificate says whether it knows TLS, implicit whether it speaks it from the start.
func serve(t *testing.T, s *server, certificate, implicit bool) *server {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate: example.com, 127.0.0.1
	web.Close()
	s.roots = x509.NewCertPool()
	s.roots.AddCert(web.Certificate())
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{s}, nil }))
	srv.Domain = "localhost"
	srv.ErrorLog = silent{}
	if certificate {
		srv.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	if implicit {
		listener = tls.NewListener(listener, srv.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(listener) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return s
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func connect(t *testing.T, s *server, format string) mail.Sender {
	t.Helper()
	sender, err := mail.NewSMTP(mail.SMTPConfig{URL: fmt.Sprintf(format, s.port), RootCAs: s.roots})
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

const (
	plain    = "smtp://127.0.0.1:%s?from=Example+%%3Cno-reply@example.com%%3E"
	implicit = "smtps://127.0.0.1:%s?from=no-reply@example.com"
)

func TestSMTPDelivers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url string
		tls bool
	}{"loopback": {plain, false}, "TLS from the start": {implicit, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &server{}, c.tls, c.tls)
			m := message()
			m.To = "ada@bücher.example"
			if err := connect(t, s, c.url).Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if diff := cmp.Diff([]string{"no-reply@example.com", "ada@xn--bcher-kva.example"}, []string{s.from, s.to}); diff != "" {
				t.Error(diff)
			}
			for _, want := range []string{"@example.com>\r\n", "Auto-Submitted: auto-generated", "multipart/alternative", "Subject: =?UTF-8?"} {
				if !strings.Contains(s.received[0], want) {
					t.Errorf("%q is not in\n%s", want, s.received[0])
				}
			}
		})
	}
}

func TestSTARTTLSIsUsedAndRequired(t *testing.T) {
	t.Parallel()
	for name, offered := range map[string]bool{"offered": true, "not offered": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &server{}, offered, false)
			sender := connect(t, s, "smtp://relay%%40example.com:s%%20p%%3Aa%%40ce@127.0.0.1:%s?from=no-reply@example.com")
			mail.RequireTLS(sender)
			err := sender.Send(t.Context(), message())
			s.mu.Lock()
			defer s.mu.Unlock()
			if (err == nil) != offered || (len(s.received) == 1) != offered || s.known != offered {
				t.Errorf("Send = %v, received %d, signed in %t", err, len(s.received), s.known)
			}
			if errors.Is(err, mail.ErrPermanent) {
				t.Error("a server without TLS lost the message for good")
			}
		})
	}
}

func TestSMTPSignsIn(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]bool{"s%%20p%%3Aa%%40ce": true, "wrong": false} {
		s := serve(t, &server{}, true, true)
		err := connect(t, s, "smtps://relay%%40example.com:"+password+"@127.0.0.1:%s?from=no-reply@example.com").Send(t.Context(), message())
		if (err == nil) != want || errors.Is(err, mail.ErrPermanent) {
			t.Errorf("Send = %v", err)
		}
	}
}

func TestSMTPErrors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name      string
		code      int
		permanent bool
	}{
		{"mailbox busy", 450, false},
		{"greylisted", 451, false},
		{"no such person", 550, true},
		{"policy", 554, true},
		{"our account", 530, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			refusal := &smtp.SMTPError{Code: c.code, EnhancedCode: smtp.EnhancedCode{c.code / 100, 0, 0}, Message: "no"}
			s := serve(t, &server{refuse: refusal}, false, false)
			err := connect(t, s, plain).Send(t.Context(), message())
			if err == nil || errors.Is(err, mail.ErrPermanent) != c.permanent {
				t.Errorf("Send = %v", err)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		s := &server{port: "1"}
		if err := connect(t, s, plain).Send(t.Context(), message()); err == nil || errors.Is(err, mail.ErrPermanent) {
			t.Errorf("Send = %v", err)
		}
	})
}

func TestSMTPTrustsOnlyItsRoots(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, true, true)
	s.roots = x509.NewCertPool()
	if err := connect(t, s, implicit).Send(t.Context(), message()); err == nil || len(s.received) > 0 {
		t.Errorf("mail went to a server that nobody vouches for: %v", err)
	}
}

// A server that hangs in the middle of a dialogue does not hold us beyond our context.
func TestSMTPHonoursItsContext(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	s := serve(t, &server{hang: hang}, false, false)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := connect(t, s, plain).Send(ctx, message())
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("Send = %v after %v", err, time.Since(start))
	}
}

func TestNewSMTP(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, url string
		ok        bool
	}{
		{"587", "smtp://user:hush%20hush@mail.example.com?from=a@example.com", true},
		{"465", "smtps://mail.example.com?from=Example+%3Ca@example.com%3E", true},
		{"no sender", "smtp://user:hush@mail.example.com", false},
		{"sender with a line break", "smtp://user:hush@mail.example.com?from=%22a%0d%0ab%22+%3Ca@example.com%3E", false},
		{"scheme", "http://user:hush@mail.example.com?from=a@example.com", false},
		{"no host", "smtp://?from=a@example.com", false},
		{"port", "smtp://user:hush@mail.example.com:99999?from=a@example.com", false},
		{"unknown parameter", "smtp://user:hush@mail.example.com?from=a@example.com&tls=off", false},
		{"not a URL", "smtp://user:hush@mail.example.com:x%zz", false},
		{"empty", "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := mail.NewSMTP(mail.SMTPConfig{URL: c.url})
			if (err == nil) != c.ok {
				t.Errorf("NewSMTP: %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}
