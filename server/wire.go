package server

import (
	"context"
	"io"

	"github.com/ostiary/ostiary"
	"github.com/ostiary/ostiary/account"
	"github.com/ostiary/ostiary/admin"
	"github.com/ostiary/ostiary/apikey"
	"github.com/ostiary/ostiary/internal/openapi"
	"github.com/ostiary/ostiary/mail"
	"github.com/ostiary/ostiary/method/magiclink"
	"github.com/ostiary/ostiary/method/passkey"
	"github.com/ostiary/ostiary/method/password"
	"github.com/ostiary/ostiary/method/totp"
	"github.com/ostiary/ostiary/store"
	"github.com/ostiary/ostiary/ui"
)

// wiring is what the settings do not say.
type wiring struct {
	store    store.Store
	volatile store.Volatile
	key      ostiary.Key
	keys     *apikey.Part
	passive  bool
	ready    func(ctx context.Context) error
}

// wire makes the engine with every method and part.
func wire(ctx context.Context, c Config, w wiring) (*password.Method, *ostiary.Auth, error) {
	mailer, err := c.mailer()
	if err != nil {
		return nil, nil, err
	}
	breaches, err := c.breaches()
	if err != nil {
		return nil, nil, err
	}
	passwords, err := password.New(password.Config{
		Hash: c.PasswordHash, ResetTTL: c.ResetTTL, Policy: password.Policy{MinLength: c.PasswordMinLength, Require: c.PasswordRequire},
		Breaches: breaches,
	})
	if err != nil {
		return nil, nil, err
	}
	passkeys, err := passkey.New(passkey.Config{Attestation: c.PasskeyAttestation, RelatedOrigins: c.RelatedOrigins})
	if err != nil {
		return nil, nil, err
	}
	pages, err := ui.New(ui.Config{PasswordMin: c.PasswordMinLength})
	if err != nil {
		return nil, nil, err
	}
	codes := totp.New(totp.Config{})
	methods := []ostiary.Method{passwords, passkeys, codes, codes.BackupCodes()}
	if mailer != nil {
		links, err := magiclink.New(magiclink.Config{TTL: c.MagicLinkTTL, SignUp: c.MagicLinkSignup})
		if err != nil {
			return nil, nil, err
		}
		methods = append(methods, links)
	}
	auth, err := ostiary.New(ctx, ostiary.Config{
		URL: c.URL, Store: w.store, Volatile: w.volatile, Key: w.key, Mailer: mailer, Product: c.Product, Log: c.Log, Passive: w.passive,
		Methods: methods,
		Parts: []ostiary.Part{
			account.New(), w.keys, admin.New(admin.Config{Passwords: passwords}), pages, openapi.New(c.Version), &health{ready: w.ready},
		},
		SignUp: c.Signup, SignUpQuiet: !*c.SignupTells, RequireVerifiedEmail: c.RequireVerifiedEmail,
		TrustDevices: c.TrustDevices, Events: c.AuditRetention,
		Sessions: ostiary.SessionConfig{TTL: c.SessionTTL, Idle: c.SessionIdleTTL},
		Tokens: ostiary.TokenConfig{
			Access: c.AccessTokenTTL, Refresh: c.RefreshTokenTTL, Alg: c.AccessTokenAlg, Rotation: c.KeyRotation, Audiences: c.FirstPartyAudiences,
		},
		Proxies: c.TrustedProxies, AllowedHosts: c.AllowedHosts, Origins: c.CORSOrigins,
		InsecureHTTP: c.InsecureHTTP, InsecureNoRateLimits: c.InsecureNoRateLimits,
	})
	return passwords, auth, err
}

// breaches is where stolen passwords are looked up, nil where they are not.
func (c Config) breaches() (password.Breaches, error) {
	if c.BreachedPasswordsURL == "" {
		return nil, nil
	}
	return password.NewRanges(c.BreachedPasswordsURL)
}

// mailer is the way that mail goes, nil where there is none (R33).
func (c Config) mailer() (ostiary.Mailer, error) {
	sender, err := c.sender()
	if err != nil || sender == nil {
		return nil, err
	}
	templates, err := mail.NewTemplates(nil)
	if err != nil {
		return nil, err
	}
	return mail.New(sender, templates), nil
}

func (c Config) sender() (mail.Sender, error) {
	smtp := c.SMTP
	if c.SMTPFile != "" {
		var err error
		if smtp, err = readSecret(c.SMTPFile); err != nil {
			return nil, &Mistake{"smtp-file", err.Error(), ""}
		}
	}
	switch {
	case smtp != "":
		sender, err := mail.NewSMTP(mail.SMTPConfig{URL: string(smtp)})
		if err != nil {
			return nil, &Mistake{"smtp", err.Error(), ""}
		}
		return sender, nil
	case !c.canMail():
		return nil, nil
	}
	var notes io.Writer
	if c.loopback() {
		notes = c.Console
	}
	return mail.NewOutbox(c.inData("outbox"), notes)
}
